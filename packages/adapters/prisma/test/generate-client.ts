import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PrismaClientTsGenerator } from '@prisma/client-generator-ts';
import type * as Internals from '@prisma/internals';
import type { PrismaClient } from './models.ts';

/**
 * Makes Prisma's client for these models, in a folder that is removed again. `prisma generate` does the
 * same, but first it downloads an engine that only its migrations need.
 */
export async function generateClient(
  provider: string,
  models: string,
): Promise<new (options: object) => PrismaClient> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'dal-prisma-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  // The client looks for its libraries from where it stands.
  const libraries = resolve(import.meta.dirname, '../node_modules');
  await symlink(libraries, join(folder, 'node_modules'), 'junction');
  const schema = join(folder, 'schema.prisma');
  await writeFile(schema, `${HEAD}\ndatasource db {\n  provider = "${provider}"\n}\n${models}`);
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
  const url = pathToFileURL(join(folder, 'client/client.ts')).href;
  const client = (await import(url)) as { PrismaClient: new (options: object) => PrismaClient };
  return client.PrismaClient;
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
