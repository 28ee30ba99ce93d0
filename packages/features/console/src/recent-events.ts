import type { EventRow } from './snapshot.ts';

const MOST_KEPT = 200;
const LONGEST_STACK = 4_000;
/** The same thing again within this time is one event with a number. */
const SAME_WITHIN_MS = 10_000;
/** How many of the youngest are looked at for the same. */
const LOOK_BACK = 12;

/** What is known of something that happened. */
export interface Happening {
  readonly tone: EventRow['tone'];
  readonly what: string;
  readonly database: string;
  readonly words: string;
  /** As it was written; only compared, never shown. */
  readonly statement?: string | undefined;
  readonly stack?: string | undefined;
  readonly tags?: Readonly<Record<string, string>>;
  /** What of the statement may be shown; asked for once an event. */
  readonly textOf?: (() => string | undefined) | undefined;
}

/** The last 200 things that happened. A storm of the same thing is one entry that counts. */
export class RecentEvents {
  #events: Entry[] = [];
  /** Ids that no program before this one had, for pages that were open then. */
  #lastId: number = Date.now();
  #turn = 0;

  note(happening: Happening): void {
    const at = Date.now();
    this.#turn++;
    const same = this.#findSame(happening, at);
    if (same !== -1) {
      const [entry] = this.#events.splice(same, 1) as [Entry];
      const { words, stack } = happening;
      const count = entry.row.count + 1;
      const row = { ...entry.row, at, turn: this.#turn, words, stack: cut(stack), count };
      this.#events.push({ ...entry, row });
      return;
    }
    const { statement, textOf, stack, tags = {}, ...rest } = happening;
    const row: EventRow = {
      ...rest,
      id: ++this.#lastId,
      turn: this.#turn,
      at,
      text: textOf?.(),
      stack: cut(stack),
      tags,
      count: 1,
    };
    this.#events.push({ row, statement });
    if (this.#events.length > MOST_KEPT) this.#events.shift();
  }

  /** Grows with every change. */
  get turn(): number {
    return this.#turn;
  }

  /** What has changed since that turn, the oldest first; 0: everything. */
  since(turn: number): EventRow[] {
    const rows: EventRow[] = [];
    for (let index = this.#events.length - 1; index >= 0; index--) {
      const { row } = this.#events[index] as Entry;
      if (row.turn <= turn) break;
      rows.unshift(row);
    }
    return rows;
  }

  #findSame({ what, tone, database, statement }: Happening, at: number): number {
    const last = this.#events.length - 1;
    for (let index = last; index >= 0 && index > last - LOOK_BACK; index--) {
      const { row, statement: before } = this.#events[index] as Entry;
      if (at - row.at > SAME_WITHIN_MS) return -1;
      if (row.what !== what || row.tone !== tone || row.database !== database) continue;
      if (before === statement) return index;
    }
    return -1;
  }
}

function cut(stack: string | undefined): string | undefined {
  return stack?.slice(0, LONGEST_STACK);
}

interface Entry {
  readonly row: EventRow;
  readonly statement: string | undefined;
}
