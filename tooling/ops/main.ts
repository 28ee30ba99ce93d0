import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPS_FOLDER, opsFiles } from './ops-files.ts';

// Writes the files that are shipped in @dal/otel's `ops`.
const folder = join(import.meta.dirname, '..', '..', OPS_FOLDER);
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(opsFiles())) writeFileSync(join(folder, name), text);
