import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ConfigError } from '@dal/core';

/** The only file that names `pg`, which is there only for what nothing but `pg` itself can do. */
export type * from 'pg';

type Library = typeof import('pg');

let library: Library | undefined;

/** @throws ConfigError when it is not installed */
export function pgLibrary(): Library {
  library ??= load();
  return library;
}

function load(): Library {
  // A strict package manager may show it to the application alone.
  for (const base of [import.meta.url, process.argv[1], join(process.cwd(), 'package.json')]) {
    if (base === undefined) continue;
    try {
      return createRequire(base)('pg') as Library;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new ConfigError('This needs pg itself: npm install pg', {
    kind: 'usage',
    code: 'DAL_ADAPTER_LIBRARY',
  });
}
