import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SUPPORT_PAGE, supportPage } from './support-page.ts';

// Writes the page that the docs show.
const root = resolve(import.meta.dirname, '../..');
writeFileSync(join(root, SUPPORT_PAGE), supportPage(root));
