import { Readable } from 'node:stream';
import { ConfigError } from '@dal/core';

/** What a server gets that asks for a file: nothing; and its statement fails. */
export function refuseFile(): Readable {
  const file = new Readable({ read: () => undefined });
  file.destroy(
    new ConfigError(
      'The server asked for a file of this machine; none is ever sent. Use bulkInsert to load rows.',
      { kind: 'usage', code: 'DAL_FILE_ASKED' },
    ),
  );
  return file;
}
