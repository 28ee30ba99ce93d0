import { DalError, type DalErrorDetails } from '@dal/core';

/**
 * A migration could not run, or must not. `code` says why: `DAL_MIGRATION_FILES`, `_CHANGED`,
 * `_MISSING`, `_ORDER`, `_HALF_WAY`, `_LOCKED`, `_LOCK_LOST`, `_FAILED`, `_NO_DOWN`, `_UNKNOWN`.
 */
export class MigrationError extends DalError {
  override readonly name: string = 'MigrationError';
  /** The migration it is about, such as `0004_add_email`. */
  readonly migration: string | undefined;

  constructor(message: string, details: DalErrorDetails & { readonly migration?: string }) {
    super(message, { kind: 'usage', ...details });
    this.migration = details.migration;
  }
}

/** Something is wrong with the files; nothing was sent. */
export function filesError(message: string, migration?: string): MigrationError {
  return new MigrationError(`${message} Nothing was run.`, {
    code: 'DAL_MIGRATION_FILES',
    ...(migration === undefined ? {} : { migration }),
  });
}

/** A name from the file system, fit to be shown: without line breaks and codes for the terminal. */
export function shown(name: string): string {
  const plain = JSON.stringify(name.slice(0, 120)).replaceAll(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g,
    '?',
  );
  return name.length > 120 ? `${plain}...` : plain;
}
