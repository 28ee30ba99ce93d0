import type { Dialect, Driver, DriverConnection, NativeStatement } from '@dal/core';
import { fakeDialect } from './fake-dialect.ts';
import { FakeError } from './fake-error.ts';
import { type FakeScript, Rules, waitFor } from './fake-script.ts';
import { FakeSession } from './fake-session.ts';

/** A driver without a database, for tests of time and order. */
export interface FakeDriver extends Driver<Readonly<Record<string, unknown>>, FakeSession> {
  /** Every call that the layer made, in order. */
  readonly calls: readonly FakeCall[];
  /** Every session that was opened, closed ones included. */
  readonly sessions: readonly FakeSession[];
  /** The texts of all statements, in order, with the session's number: `1: SELECT 1`. */
  readonly statements: readonly string[];
  /**
   * How statements with this text go from now on; `ping`, `reset`, `cancel`, `close`, `destroy` and
   * `connect` are answered by those names. The youngest rule that matches counts.
   */
  on(match: string | RegExp, script: FakeScript): this;
  /** The same for the next `times` matches only. Default: 1. */
  once(match: string | RegExp, script: FakeScript, times?: number): this;
  /** Breaks every open line at once. */
  loseAll(error?: Error): void;
}

export interface FakeCall {
  /** 0 for `connect`. */
  readonly session: number;
  readonly call: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface FakeOptions {
  readonly name?: string;
  readonly dialect?: Partial<Dialect>;
  /**
   * Optional members that the sessions do not have, and `signal` for a `connect` that does not take it.
   * Default: there is everything.
   */
  readonly without?: readonly FakeOptionalMember[];
}

export type FakeOptionalMember =
  | 'cancel'
  | 'destroy'
  | 'ping'
  | 'reset'
  | 'signal'
  | 'status'
  | 'stream';

const connectStatement: NativeStatement = { text: 'connect', values: [] };

export function fakeDriver({ name = 'fake', dialect, without = [] }: FakeOptions = {}): FakeDriver {
  const rules = new Rules();
  const calls: FakeCall[] = [];
  const sessions: FakeSession[] = [];

  return {
    name,
    schemes: [`${name}:`],
    dialect: { ...fakeDialect, name, ...dialect },
    calls,
    sessions,
    get statements() {
      return calls
        .filter(({ call }) => call === 'query' || call === 'stream')
        .map(({ session, text }) => `${session}: ${text}`);
    },
    on(match, script) {
      rules.add(match, script, Number.POSITIVE_INFINITY);
      return this;
    },
    once(match, script, times = 1) {
      rules.add(match, script, times);
      return this;
    },
    loseAll(error) {
      for (const session of sessions) session.lose(error);
    },
    async connect(_, lost, signal) {
      calls.push({ session: 0, call: 'connect', ...connectStatement });
      const answer = rules.answerTo(connectStatement);
      const ignored = without.includes('signal') ? undefined : signal;
      await waitFor(answer, ignored ?? new AbortController().signal);
      if (answer.error !== undefined) throw answer.error;
      const number = sessions.length + 1;
      const session = new FakeSession({
        number,
        lost,
        ask(call, { text, values }) {
          calls.push({ session: number, call, text, values });
          return rules.answerTo({ text, values });
        },
      });
      sessions.push(session);
      // Presence is the capability, so what is left out must be absent, not merely idle.
      const connection: DriverConnection<FakeSession> = session;
      for (const member of without) Object.defineProperty(connection, member, { value: undefined });
      return connection;
    },
    classify(error) {
      if (error instanceof FakeError) return error.fault;
      return { kind: 'unknown' };
    },
  };
}
