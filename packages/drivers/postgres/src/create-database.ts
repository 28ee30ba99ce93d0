import { onAbort, quoteIdentifier } from '@dal/core';
import { openSession, type OpenSession } from './open-session.ts';
import { postgresDialect } from './postgres-dialect.ts';
import type { PostgresOptions } from './postgres-options.ts';
import type { PostgresTypes } from './postgres-types.ts';

const NO_SUCH_DATABASE = '3D000';
/** `duplicate_database`, and how two that make it at the same moment meet in the catalog. */
const MADE_BY_OTHERS = new Set(['42P04', '23505']);
/** Every server has it, and everybody may connect to it. */
const MAINTENANCE = 'postgres';

/** Opens a session; a database that is missing is made when the options allow that. */
export async function openOrCreate(
  options: PostgresOptions,
  types: PostgresTypes,
  signal?: AbortSignal,
): Promise<OpenSession> {
  try {
    return await openSession(options, types, signal);
  } catch (error) {
    if (!options.createIfMissing || codeOf(error) !== NO_SUCH_DATABASE) throw error;
  }
  await createDatabase(options, types, signal);
  return openSession(options, types, signal);
}

async function createDatabase(
  options: PostgresOptions,
  types: PostgresTypes,
  signal: AbortSignal | undefined,
): Promise<void> {
  const maintenance = { ...options, database: MAINTENANCE, readOnly: false };
  const { client } = await openSession(maintenance, types, signal);
  const stream = client.line.stream;
  const stopListening = onAbort(signal, () => stream.destroy());
  const timer = setTimeout(() => stream.destroy(), options.connectTimeoutMs);
  try {
    await client.query(`CREATE DATABASE ${quoteIdentifier(options.database, postgresDialect)}`);
  } catch (error) {
    if (!MADE_BY_OTHERS.has(codeOf(error) ?? '')) throw error;
  } finally {
    clearTimeout(timer);
    stopListening();
    stream.destroy();
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}
