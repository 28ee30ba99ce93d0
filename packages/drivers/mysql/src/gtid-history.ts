import type { ServerHistory } from '@dal/core';

/** From the first to the last number, both of them included. */
type Interval = readonly [first: number, last: number];

/**
 * What a MySQL has executed: `gtid_executed`, such as `3e11fa47-...:1-5:9,5a2c...:1-3`. A set includes
 * another one when nothing of that is missing.
 *
 * @returns undefined while nothing was executed
 */
export function mysqlHistory(executed: string): ServerHistory | undefined {
  const sets = readSets(executed);
  return sets.size > 0 ? new ExecutedSets(sets) : undefined;
}

/**
 * What a MariaDB has executed. Numbers are counted by domain, so two servers that wrote at the same time
 * have the same numbers: whether one has followed the other is told by who wrote them.
 *
 * @param current `gtid_current_pos`: the last transaction of each domain, as `domain-server-number`
 * @param seen `gtid_binlog_state` and `gtid_slave_pos`: the last ones of each server
 */
export function mariadbHistory(
  current: string,
  seen: readonly string[],
): ServerHistory | undefined {
  const last = readPositions([current]);
  return last.size > 0 ? new SeenPositions(last, readPositions([current, ...seen])) : undefined;
}

class ExecutedSets implements ServerHistory {
  readonly #sets: ReadonlyMap<string, readonly Interval[]>;

  constructor(sets: ReadonlyMap<string, readonly Interval[]>) {
    this.#sets = sets;
  }

  includes(other: ServerHistory): boolean {
    if (!(other instanceof ExecutedSets)) return false;
    return [...other.#sets].every(([source, intervals]) => {
      const own = this.#sets.get(source) ?? [];
      return intervals.every(([first, last]) => own.some((it) => it[0] <= first && last <= it[1]));
    });
  }
}

class SeenPositions implements ServerHistory {
  /** By domain and server. */
  readonly #last: ReadonlyMap<string, number>;
  readonly #seen: ReadonlyMap<string, number>;

  constructor(last: ReadonlyMap<string, number>, seen: ReadonlyMap<string, number>) {
    this.#last = last;
    this.#seen = seen;
  }

  includes(other: ServerHistory): boolean {
    if (!(other instanceof SeenPositions)) return false;
    return [...other.#last].every(([writer, number]) => (this.#seen.get(writer) ?? 0) >= number);
  }
}

/** By server, and by its tag where there is one: `uuid:1-5:tag:1-3`. */
function readSets(text: string): Map<string, Interval[]> {
  const sets = new Map<string, Interval[]>();
  for (const group of text.split(',')) {
    const [uuid = '', ...parts] = group.trim().toLowerCase().split(':');
    let source = uuid;
    for (const part of parts) {
      const numbers = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
      if (!numbers) {
        source = `${uuid}:${part.trim()}`;
        continue;
      }
      const first = Number(numbers[1]);
      const interval: Interval = [first, Number(numbers[2] ?? first)];
      const known = sets.get(source);
      if (known) known.push(interval);
      else sets.set(source, [interval]);
    }
  }
  return sets;
}

function readPositions(texts: readonly string[]): Map<string, number> {
  const positions = new Map<string, number>();
  for (const [, writer = '', number] of texts.join(',').matchAll(/(\d+-\d+)-(\d+)/g)) {
    positions.set(writer, Math.max(positions.get(writer) ?? 0, Number(number)));
  }
  return positions;
}
