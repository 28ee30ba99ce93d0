import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Catalog,
  Driver,
  DriverConnection,
  HeldLock,
  NativeResult,
  SessionLock,
} from '@dal/core';
import { sqliteDriver } from '@dal/sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failingChapters } from './collect-run.ts';

// One promise broken at a time in a real driver: a kit that lets one pass proves nothing.

const sound = sqliteDriver as Driver;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dal-broken-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Breakage {
  /** The chapters that must fail; none means that the whole kit must pass. */
  readonly fails: readonly string[];
  readonly driver: Driver;
  readonly stuckStatement?: string;
  /** The data lives in each session, so that what a broken one keeps locked harms no other. */
  readonly inMemory?: boolean;
}

const everybodys: HeldLock = {
  isHeld: () => Promise.resolve(true),
  release: () => Promise.resolve(),
};

const drivers: Record<string, Breakage> = {
  'no promise at all': { fails: [], driver: sound },
  'no promise, and stops statements': stoppable('stops'),
  'goes on with an attempt that was given up': {
    fails: ['connections'],
    driver: { ...sound, connect: (options, lost, _signal) => sound.connect(options, lost) },
  },
  'ends a session whose attempt was given up too late': {
    fails: ['connections'],
    driver: {
      ...sound,
      async connect(options, lost, signal) {
        const session = await sound.connect(options, lost, signal);
        signal?.addEventListener('abort', () => session.destroy?.());
        return session;
      },
    },
  },
  'rounds big integers': values((value) => (typeof value === 'bigint' ? Number(value) : value)),
  'loses digits of decimals': values((value) =>
    typeof value === 'string' && /^-?\d+\.\d{10,}$/.test(value) ? String(Number(value)) : value,
  ),
  'reads a DATE as a Date': values((value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? new Date(value) : value,
  ),
  'reads an empty text as null': values((value) => (value === '' ? null : value)),
  'moves timestamps by an hour': {
    ...values((value) => (value instanceof Date ? new Date(value.getTime() + 3_600_000) : value)),
    fails: ['values', 'connections'],
  },
  'reads null as undefined': {
    ...values((value) => (value === null ? undefined : value)),
    fails: ['values', 'statements'],
  },
  'counts no affected rows': results('statements', (result) => ({ ...result, affectedRows: 0 })),
  'forgets insertId': results('statements', ({ rows, columns, affectedRows }) => ({
    rows,
    columns,
    affectedRows,
  })),
  'forgets the columns': results('statements', (result) => ({ ...result, columns: [] })),
  'cuts long results': results('statements', (result) => ({
    ...result,
    rows: result.rows.slice(0, 10_000),
  })),
  'accepts two statements': connection('statements', (session) => ({
    query: async (statement) => {
      const [first = '', ...rest] = statement.text.split(/;\s*(?=\S)/);
      const result = await session.query({ ...statement, text: first });
      for (const more of rest) await session.query({ text: more, values: [] });
      return result;
    },
  })),
  'ignores ROLLBACK': {
    ...connection('transactions', (session) => ({
      query: (statement) =>
        session.query(statement.text === 'ROLLBACK' ? { text: 'COMMIT', values: [] } : statement),
    })),
    fails: ['transactions', 'bulk'],
  },
  'ignores ROLLBACK TO': {
    ...connection('transactions', (session) => ({
      query: (statement) =>
        session.query(
          statement.text.startsWith('ROLLBACK TO') ? { text: 'SELECT 1', values: [] } : statement,
        ),
    })),
    fails: ['transactions', 'bulk'],
  },
  'says idle inside a transaction': {
    ...connection('transactions', () => ({ status: () => 'idle' })),
    fails: ['statements', 'transactions', 'errors', 'streams', 'bulk', 'schema'],
  },
  'ignores readOnly': {
    fails: ['transactions'],
    driver: {
      ...sound,
      dialect: {
        ...sound.dialect,
        transaction: sound.dialect.transaction && {
          ...sound.dialect.transaction,
          begin: () => ['BEGIN IMMEDIATE'],
        },
      },
    },
  },
  'calls a broken key unknown': {
    fails: ['errors'],
    driver: {
      ...sound,
      classify: (error) => {
        const fault = sound.classify(error);
        return fault.kind === 'unique' ? { ...fault, kind: 'unknown' } : fault;
      },
    },
  },
  'throws while classifying a stranger': {
    fails: ['errors'],
    driver: {
      ...sound,
      classify: (error) => {
        if (error === undefined) throw new Error('an error was expected');
        return sound.classify(error);
      },
    },
  },
  'swallows errors': {
    ...connection('errors', (session) => ({
      query: (statement) =>
        session
          .query(statement)
          .catch((): NativeResult => ({ rows: [], columns: [], affectedRows: 0 })),
    })),
    fails: ['values', 'statements', 'transactions', 'errors', 'connections', 'pool', 'faults'],
  },
  'leaves the session open at close': connection('connections', () => ({
    close: () => Promise.resolve(),
  })),
  'resets nothing': connection('connections', () => ({ reset: () => Promise.resolve() })),
  'accepts any option': {
    fails: ['connections'],
    driver: {
      ...sound,
      configure: ({ path, runsIn, busyTimeoutMs }) =>
        sound.configure?.({ path, runsIn, busyTimeoutMs }),
    },
  },
  'reports a session that was closed as lost': {
    fails: ['connections'],
    driver: {
      ...sound,
      async connect(options, lost) {
        const session = await sound.connect(options, lost);
        return extend(session, {
          close: async () => {
            await session.close();
            lost(new Error('closed'));
          },
        });
      },
    },
  },
  'lets a stream run on that was left': {
    ...connection('streams', (session) => ({
      async *stream(statement, batchSize) {
        const stream = session.stream?.(statement, batchSize)[Symbol.asyncIterator]();
        if (!stream) return;
        for (let step = await stream.next(); !step.done; step = await stream.next()) {
          yield step.value;
        }
      },
    })),
    inMemory: true,
  },
  'ends a stream quietly at an error': connection('streams', (session) => ({
    async *stream(statement, batchSize) {
      try {
        yield* session.stream?.(statement, batchSize) ?? [];
      } catch {
        // Nothing is said.
      }
    },
  })),
  'forgets the last row of a load': connection('bulk', (session) => ({
    load: async (target, batches) => {
      let last: readonly unknown[] | undefined;
      return session.load!(
        target,
        (async function* () {
          for await (const batch of batches) {
            yield last ? [last, ...batch.slice(0, -1)] : batch.slice(0, -1);
            last = batch.at(-1);
          }
        })(),
      );
    },
  })),
  'loads as it likes, whatever becomes of the transaction': connection('bulk', (session) => ({
    load: async (target, batches) => {
      await session.query({ text: 'COMMIT', values: [] });
      await session.query({ text: 'BEGIN', values: [] });
      const affectedRows = await session.load!(target, batches);
      await session.query({ text: 'COMMIT', values: [] });
      await session.query({ text: 'BEGIN', values: [] });
      return affectedRows;
    },
  })),
  'counts no rows of many': {
    ...connection('bulk', (session) => ({
      queryMany: async (statement, rows) => ({
        ...(await session.queryMany!(statement, rows)),
        affectedRows: 0,
      }),
    })),
    fails: ['statements', 'bulk'],
  },
  'turns the order of many around': connection('bulk', (session) => ({
    queryMany: (statement, rows) => session.queryMany!(statement, rows.toReversed()),
  })),
  'finds tables that were not asked for': catalog(({ tables }) => ({
    tables: ({ schema }) => tables({ schema, table: undefined }),
  })),
  'looks for tables in every schema': catalog(({ tables, columns }) => ({
    tables: ({ table }) => tables({ schema: undefined, table }),
    columns: ({ table }) => columns({ schema: undefined, table }),
  })),
  'forgets what counts up': results('schema', (result) => ({
    ...result,
    rows: result.rows.map((row) =>
      Object.hasOwn(row as object, 'auto_increment')
        ? { ...(row as object), auto_increment: 0 }
        : row,
    ),
  })),
  'lends its lock to everybody': sessionLock(() => () => Promise.resolve(everybodys)),
  'keeps a lock that is given back': sessionLock((take) => async (session, name) => {
    const held = await take(session, name);
    return held && { ...held, release: () => Promise.resolve() };
  }),
  'cancels nothing': stoppable('runs on'),
  'cancels later than it says': stoppable('stops late'),
};

/** Beside the chapters in which a breakage must be seen, it goes through these, where it must not. */
const always = new Set(['values', 'statements', 'errors']);

describe('a driver that', () => {
  for (const [what, { fails, driver, stuckStatement, inMemory }] of Object.entries(drivers)) {
    test(what, { timeout: 240_000 }, async () => {
      const failing = await failingChapters(
        {
          driver,
          config: {
            path: inMemory ? ':memory:' : join(folder, `${what.replaceAll(' ', '-')}.db`),
            runsIn: 'inline',
            busyTimeoutMs: 100,
            synchronous: 'off',
          },
          stuckStatement: stuckStatement ?? false,
        },
        (chapter) => fails.length === 0 || fails.includes(chapter) || always.has(chapter),
      );
      expect([...failing.keys()], [...failing.values()].join('\n')).toEqual([...fails]);
    });
  }
});

/** A driver whose sessions differ from the sound ones in these members. */
function connection(
  chapter: string,
  change: (session: DriverConnection) => Partial<DriverConnection>,
): Breakage {
  return {
    fails: [chapter],
    driver: {
      ...sound,
      async connect(options, lost) {
        const session = await sound.connect(options, lost);
        return extend(session, change(session));
      },
    },
  };
}

function extend(session: DriverConnection, members: Partial<DriverConnection>): DriverConnection {
  const bound = new Proxy(session, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  // Inherits what it does not change, and may be changed itself.
  return Object.assign(Object.create(bound) as DriverConnection, members);
}

function results(chapter: string, change: (result: NativeResult) => NativeResult): Breakage {
  return connection(chapter, (session) => ({
    query: async (statement) => change(await session.query(statement)),
  }));
}

function catalog(change: (sound: Catalog) => Partial<Catalog>): Breakage {
  const whole = sound.dialect.catalog;
  if (!whole) throw new Error('SQLite has a catalog.');
  const dialect = { ...sound.dialect, catalog: { ...whole, ...change(whole) } };
  return { fails: ['schema'], driver: { ...sound, dialect } };
}

/** A lock that is taken in another way. */
function sessionLock(change: (sound: SessionLock['take']) => SessionLock['take']): Breakage {
  const whole = sound.dialect.sessionLock;
  if (!whole) throw new Error('SQLite has a lock for sessions.');
  const take = change((session, name) => whole.take(session, name));
  return {
    fails: ['locks'],
    driver: { ...sound, dialect: { ...sound.dialect, sessionLock: { take } } },
  };
}

function values(change: (value: unknown) => unknown): Breakage {
  const changeRow = (row: unknown): unknown =>
    Array.isArray(row)
      ? row.map(change)
      : Object.fromEntries(
          Object.entries(row as object).map(([key, value]) => [key, change(value)]),
        );
  return connection('values', (session) => ({
    query: async (statement) => {
      const result = await session.query(statement);
      return { ...result, rows: result.rows.map(changeRow) };
    },
    async *stream(statement, batchSize) {
      for await (const batch of session.stream?.(statement, batchSize) ?? []) {
        yield batch.map(changeRow);
      }
    },
  }));
}

/**
 * SQLite in this thread cannot be stopped, so a statement of its own stands for a stuck one; all
 * else is the real driver.
 */
function stoppable(how: 'stops' | 'runs on' | 'stops late'): Breakage {
  const interrupted = (): Error =>
    Object.assign(new Error('interrupted'), { code: 'SQLITE_INTERRUPT' });
  const breakage = connection('timeouts', (session) => {
    let stop: (() => void) | undefined;
    let isHit = false;
    return {
      query: (statement) => {
        if (statement.text.startsWith('STUCK')) {
          return new Promise((_, reject) => {
            stop = () => reject(interrupted());
          });
        }
        if (!isHit) return session.query(statement);
        isHit = false;
        return Promise.reject(interrupted());
      },
      cancel: async () => {
        if (how === 'runs on') return;
        if (stop) stop();
        else if (how === 'stops late') setTimeout(() => (isHit = true), 10);
        stop = undefined;
      },
    };
  });
  return { ...breakage, fails: how === 'stops' ? [] : ['timeouts'], stuckStatement: 'STUCK' };
}
