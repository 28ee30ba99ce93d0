import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PrismaClientTsGenerator } from '@prisma/client-generator-ts';
import type * as Internals from '@prisma/internals';

/**
 * Makes Prisma's client for this schema, in a folder that stands until `opened` ends. `prisma generate`
 * does the same, but first it downloads an engine that only its migrations need.
 *
 * @returns the client's module
 */
export async function generateClient(
  schema: string,
  opened: AsyncDisposableStack,
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'dal-prisma-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  // The client looks for its libraries from where it stands.
  const libraries = resolve(import.meta.dirname, '../node_modules');
  await symlink(libraries, join(folder, 'node_modules'), 'junction');
  const schemaPath = join(folder, 'schema.prisma');
  await writeFile(schemaPath, HEAD + schema);
  // Their ES modules name files that aren't there.
  const require = createRequire(import.meta.url);
  const { getGenerators, loadSchemaContext } = require('@prisma/internals') as typeof Internals;
  const { PrismaClientTsGenerator: Generator } = require('@prisma/client-generator-ts') as {
    PrismaClientTsGenerator: typeof PrismaClientTsGenerator;
  };
  const generators = await getGenerators({
    schemaContext: await loadSchemaContext({
      schemaPath: { cliProvidedPath: schemaPath },
      printLoadMessage: false,
    }),
    cliCommand: 'generate',
    registry: { 'prisma-client': { type: 'in-process', generator: new Generator() } },
  });
  for (const generator of generators) {
    await generator.generate();
    generator.stop();
  }
  return import(pathToFileURL(join(folder, 'client/client.ts')).href);
}

const HEAD = `
generator client {
  provider               = "prisma-client"
  output                 = "./client"
  moduleFormat           = "esm"
  importFileExtension    = "ts"
  generatedFileExtension = "ts"
}
`;
