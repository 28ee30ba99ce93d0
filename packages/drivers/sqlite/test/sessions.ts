import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverConnection, NativeResult } from '@dal/core';
import { onTestFinished } from 'vitest';
import {
  type Database,
  sqlite,
  type SqliteConfig,
  sqliteDriver,
  type SqliteOptions,
  type SqliteRaw,
} from '../src/index.ts';

export type SqliteSession = DriverConnection<SqliteRaw>;

/** Never ends, and gives no row on the way. */
export const STUCK =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c';

export function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dal-sqlite-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return join(folder, 'x.db');
}

/** A database in a new file, unless the options name one. */
export function open(options: SqliteConfig = {}): Database {
  const db = sqlite({ ...(options.path ? {} : { path: newFile() }), ...options });
  onTestFinished(async () => void (await db.close({ force: true })));
  return db;
}

/** A session by itself, without the layer. */
export async function connect(options: SqliteOptions = {}): Promise<SqliteSession> {
  const given = { ...(options.path ? {} : { path: newFile() }), ...options };
  const session = await sqliteDriver.connect(settingsOf(given), () => undefined);
  onTestFinished(() => session.close());
  return session;
}

export function settingsOf(options: SqliteOptions) {
  const settings = sqliteDriver.configure?.({ ...options });
  if (settings === undefined) throw new Error('The driver reads options.');
  return settings;
}

export function run(
  session: SqliteSession,
  text: string,
  values: readonly unknown[] = [],
): Promise<NativeResult> {
  return session.query({ text, values });
}

export interface Failure extends Error {
  readonly kind?: string;
}

export async function failure(work: Promise<unknown>): Promise<Failure | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error as Failure;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Dead, though its parent has not looked yet, or can't.
  if (process.platform !== 'linux') return true;
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Until it holds; false when the time is over before. */
export async function holdsWithin(
  ms: number,
  holds: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    if (await holds()) return true;
    await sleep(20);
  }
  return holds();
}
