/** One thing that a program does, and what it sees of it. */
export type Step<Db> = (db: Db) => unknown;

/** What a program sees, step by step. */
export async function scenario<Db>(db: Db, steps: readonly Step<Db>[]): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const step of steps) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- each builds on the one before
      seen.push(shown(await step(db)));
    } catch (error) {
      seen.push(shown(error));
    }
  }
  return seen;
}

/** In a form in which everything that differs is seen: classes too, but those of rows. */
function shown(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(shown);
  if (value instanceof Error) {
    const { name, message, cause, code } = value as Error & { code?: unknown };
    return { name, message, code, cause: cause === undefined ? 'none' : shown(cause) };
  }
  if (typeof value !== 'object' || value === null) return value;
  // Of the answers of the libraries only what is documented.
  const parts = Object.entries(value).filter(([key]) => !key.startsWith('_') && key !== 'RowCtor');
  return Object.fromEntries(parts.map(([key, part]) => [key, shown(part)]));
}
