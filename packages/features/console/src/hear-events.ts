import { channels, type DalError, type Dialect, isDalError, type LeakMessage } from '@dal/core';
import type { Listening } from './listening.ts';
import type { Happening, RecentEvents } from './recent-events.ts';
import type { EventRow } from './snapshot.ts';
import { shownTags, type StatementTexts } from './statement-texts.ts';

/** Most names of databases whose dialects are remembered. */
const MOST_NAMES = 1_000;

/** Puts what the layer tells into words. Messages of errors are left out: they quote statements. */
export function hearEvents(
  listening: Listening,
  events: RecentEvents,
  texts: StatementTexts,
): void {
  const dialects = new Map<string, Dialect>();
  const { query, acquire, connect, retry, circuit, leak, slowQuery, health, failover, scaling } =
    channels;
  const note = (happening: Omit<Happening, 'textOf'>): void => {
    const { statement, database } = happening;
    const textOf = (): string | undefined => {
      const dialect = dialects.get(database);
      return dialect && statement ? texts.shown(statement, dialect).text : undefined;
    };
    events.note({ ...happening, textOf });
  };

  listening.to(query.start, ({ database: { name, pool } }) => {
    if (!dialects.has(name) && dialects.size < MOST_NAMES) dialects.set(name, pool.dialect);
  });
  listening.to(query.asyncEnd, ({ error, database, statement, tags }) => {
    const told = error && ofError(error);
    if (told) note({ ...told, database: database.name, statement, tags: shownTags(tags) });
  });
  listening.to(acquire.error, ({ error, pool }) => {
    if (!error || !isPoolTimeout(error)) return;
    const words =
      error.code === 'DAL_POOL_QUEUE_FULL'
        ? 'A caller was refused: too many wait for a connection.'
        : 'A caller waited for a connection in vain.';
    note({ tone: 'bad', what: 'pool', database: pool.name, words });
  });
  listening.to(connect.error, ({ error, pool }) => {
    const words = `A connection could not be opened (${codeOf(error)}).`;
    note({ tone: 'bad', what: 'connect', database: pool.name, words });
  });
  listening.to(retry, ({ database, statement, error, attempt }) => {
    const what = statement === undefined ? 'A transaction' : 'A statement';
    const words = `${what} is tried again after attempt ${attempt} (${codeOf(error)}).`;
    note({ tone: 'warn', what: 'retry', database, words, statement });
  });
  listening.to(circuit, ({ database, from, to }) => {
    const tone = to === 'open' ? 'bad' : to === 'closed' ? 'good' : 'warn';
    const shown = to === 'halfOpen' ? 'half open: it tries again' : to;
    note({ tone, what: 'circuit', database, words: `The breaker was ${from} and is ${shown}.` });
  });
  listening.to(leak, (message) => note(ofLeak(message)));
  listening.to(slowQuery, ({ database, statement, tags, durationMs, thresholdMs, stack }) => {
    const words = `A call took ${seconds(durationMs)}; slow is from ${seconds(thresholdMs)} on.`;
    const happening = { words, statement, stack, tags: shownTags(tags) };
    note({ tone: 'warn', what: 'slow', database: database.name, ...happening });
  });
  listening.to(health, ({ pool, event }) => {
    const words = {
      validationFailed: 'An idle connection gave no sign of life.',
      serverAway: 'The server is away.',
      serverBack: 'The server is back.',
    }[event];
    const tone = event === 'serverBack' ? 'good' : event === 'serverAway' ? 'bad' : 'warn';
    note({ tone, what: 'health', database: pool.name, words });
  });
  listening.to(failover, ({ pool, from, to }) => {
    const words = `Moved ${from === undefined ? '' : `from ${from} `}to ${to}.`;
    note({ tone: 'warn', what: 'failover', database: pool.name, words });
  });
  listening.to(scaling, (message) => {
    const { pool, level, before, sentence } = message;
    const tone = level === 'normal' ? 'good' : level === 'mild' ? 'warn' : 'bad';
    if (level !== before.level)
      note({ tone, what: 'scaling', database: pool.name, words: sentence });
  });
}

/** Only of what people on call care for; a syntax error is its program's own. */
function ofError({
  kind,
  code,
}: DalError): { tone: EventRow['tone']; what: string; words: string } | undefined {
  if (code === 'DAL_STOPPED')
    return { tone: 'plain', what: 'stopped', words: 'A statement was stopped.' };
  switch (kind) {
    case 'statementTimeout':
      return { tone: 'bad', what: 'timeout', words: 'A statement took too long and was stopped.' };
    case 'lockTimeout':
      return { tone: 'warn', what: 'lock', words: 'A lock was not given in time.' };
    case 'deadlock':
      return { tone: 'warn', what: 'deadlock', words: 'Two transactions waited for each other.' };
    case 'connection':
    case 'notReady':
      return { tone: 'bad', what: 'lost', words: `A call lost its connection (${code}).` };
    default:
      return undefined;
  }
}

function ofLeak({ database, back, heldMs, lastStatement, stack, tags }: LeakMessage): Happening {
  const words = back
    ? `A connection came back after ${seconds(heldMs)}.`
    : `A connection is lent for ${seconds(heldMs)} without a statement.`;
  const rest = { database, words, statement: lastStatement, stack, tags: shownTags(tags) };
  return { tone: back ? 'good' : 'bad', what: back ? 'unleaked' : 'leak', ...rest };
}

function isPoolTimeout({ code }: DalError): boolean {
  return code === 'DAL_POOL_TIMEOUT' || code === 'DAL_POOL_QUEUE_FULL';
}

function codeOf(error: unknown): string {
  if (isDalError(error)) return error.fault?.code ?? error.code;
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' || typeof code === 'number' ? String(code) : 'no code';
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
