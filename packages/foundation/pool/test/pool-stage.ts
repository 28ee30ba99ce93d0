import {
  type Deadline,
  deadlineAfter,
  type Driver,
  type DriverConnection,
  type LeaseReport,
  onAbort,
} from '@dal/core';
import { Pool } from '../src/pool.ts';
import { readPoolOptions } from '../src/pool-options.ts';
import { stillDialect } from './still-dialect.ts';

/** What a session of the stage does when it is asked for a sign of life or a goodbye. */
export type Manner = 'answers' | 'fails' | 'freezes';

export interface StageLog {
  opened: number;
  closed: number;
  /** The most sessions that were open or being opened at the same time. */
  most: number;
  /** So many of the next attempts to open a session fail. */
  failures: number;
  pings: number;
  ping: Manner;
  goodbye: Manner;
  readonly events: [name: string, lease: LeaseReport][];
}

export interface Stage {
  readonly pool: Pool;
  readonly log: StageLog;
  readonly open: Set<DriverConnection>;
  /** Ends sessions as a server would, in the order in which they were opened. */
  readonly ends: ((error: unknown) => void)[];
}

export interface StageOptions {
  /** How long it takes to open a session. */
  readonly openMs?: number;
  /** `connect` ends when its signal says so. Default: it does not take one. */
  readonly obeys?: boolean;
  readonly more?: Partial<DriverConnection>;
}

/** Time and order only: sessions that do nothing, opened and ended when the test says so. */
export function stage(
  options: Readonly<Record<string, unknown>> = {},
  { openMs = 0, obeys = false, more = {} }: StageOptions = {},
): Stage {
  const open = new Set<DriverConnection>();
  let opening = 0;
  const log: StageLog = {
    opened: 0,
    closed: 0,
    most: 0,
    failures: 0,
    pings: 0,
    ping: 'answers',
    goodbye: 'answers',
    events: [],
  };
  const ends: ((error: unknown) => void)[] = [];
  const driver: Driver = {
    name: 'still',
    schemes: [],
    dialect: stillDialect,
    async connect(_options, lost, signal) {
      opening++;
      log.most = Math.max(log.most, open.size + opening);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, openMs);
        onAbort(obeys ? signal : undefined, () => {
          clearTimeout(timer);
          resolve();
        });
      });
      opening--;
      if (obeys) signal?.throwIfAborted();
      if (log.failures > 0) {
        log.failures--;
        throw new Error('refused');
      }
      const connection: DriverConnection = {
        raw: undefined,
        query: () => Promise.resolve({ rows: [], columns: [], affectedRows: 0 }),
        ping: () => {
          log.pings++;
          return behave(log.ping);
        },
        close: async () => {
          await behave(log.goodbye);
          open.delete(connection);
          log.closed++;
        },
        destroy: () => void open.delete(connection),
        ...more,
      };
      open.add(connection);
      ends.push((error) => {
        open.delete(connection);
        lost(error);
      });
      log.opened++;
      return connection;
    },
    classify: () => ({ kind: 'unknown' }),
  };
  const settings = readPoolOptions({ acquireStacks: 'always', ...options });
  const pool = new Pool({
    name: 'test',
    driver,
    options: {},
    settings,
    onEvent: (name, lease) => void log.events.push([name, lease]),
  });
  return { pool, log, open, ends };
}

export function soon(ms = 1_000, signal?: AbortSignal): Deadline {
  return deadlineAfter(ms, signal);
}

function behave(manner: Manner): Promise<void> {
  if (manner === 'fails') return Promise.reject(new Error('gone'));
  return manner === 'freezes' ? new Promise(() => undefined) : Promise.resolve();
}
