#!/usr/bin/env node
// npm create dal-driver@latest oracle
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { createDriver } from './create-driver.ts';
import { CreateError } from './create-error.ts';

const USAGE = `npm create dal-driver@latest <database> [-- options]

  <database>     what the driver is for, such as oracle: also its URL scheme
  --name <name>  of the package, such as @acme/dal-oracle. Default: dal-<database>
  --dir <path>   where it goes, an empty folder or none yet. Default: the package's name
  --help         this text
`;

async function main(args: string[]): Promise<void> {
  const { values, positionals } = read(args);
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const [driver, ...others] = positionals;
  if (driver === undefined || others.length > 0) {
    throw new CreateError(`Name one database.\n\n${USAGE}`);
  }
  const { folder, files } = await createDriver({
    driver,
    packageName: values.name,
    folder: values.dir,
  });
  const way = relative(process.cwd(), folder) || '.';
  process.stdout.write(`${files.length} files in ${folder}

  cd ${way}
  npm install
  npm test                 it is green from the start, on the SQLite of Node
  grep -rn TODO src test   what to change for your database, file by file
`);
}

function read(args: string[]): {
  values: { name?: string | undefined; dir?: string | undefined; help?: boolean | undefined };
  positionals: string[];
} {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        dir: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new CreateError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, {
      cause: error,
    });
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = 1;
  process.stderr.write(
    error instanceof CreateError ? `create-dal-driver: ${error.message}\n` : `${String(error)}\n`,
  );
});
