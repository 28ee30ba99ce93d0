import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PrismaClientTsGenerator } from '@prisma/client-generator-ts';
import type * as Internals from '@prisma/internals';

/**
 * Makes Prisma's client for this schema, in a folder that is removed again.
 *
 * `prisma generate` does the same, but first it downloads an engine that only its migrations need.
 */
export async function generatePrisma(
  models: string,
  opened: AsyncDisposableStack,
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'dal-bench-prisma-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  // The client looks for its libraries from where it stands.
  await symlink(
    resolve(import.meta.dirname, '../../node_modules'),
    join(folder, 'node_modules'),
    'junction',
  );
  const schema = join(folder, 'schema.prisma');
  await writeFile(schema, HEAD + models);
  // Their ES modules name files that aren't there.
  const require = createRequire(import.meta.url);
  const { getGenerators, loadSchemaContext } = require('@prisma/internals') as typeof Internals;
  const { PrismaClientTsGenerator: Generator } = require('@prisma/client-generator-ts') as {
    PrismaClientTsGenerator: typeof PrismaClientTsGenerator;
  };
  const generators = await getGenerators({
    schemaContext: await loadSchemaContext({
      schemaPath: { cliProvidedPath: schema },
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
