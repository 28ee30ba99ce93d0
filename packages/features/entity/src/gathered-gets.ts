import type { Row } from '@dal/core';
import type { EntityType } from './entity-type.ts';
import { rowsOf, type Work } from './work.ts';

/** Entities that one statement asks for; those beyond it go into the next one. */
const MOST = 64;

/**
 * Gets that are called in one turn of the event loop share a statement: twenty callers are one round
 * trip and one connection. Each must be free to wait for the others: no time limit, no signal, and
 * no transaction, in which statements have an order.
 */
export class GatheredGets {
  readonly #run: (work: Work<Row[]>) => Promise<Row[]>;
  readonly #open = new Map<EntityType, Gathering>();

  constructor(run: (work: Work<Row[]>) => Promise<Row[]>) {
    this.#run = run;
  }

  /**
   * The row of this id, or undefined.
   *
   * @param key the quoted name of the id's column
   */
  row(type: EntityType, key: string, id: string): Promise<Row | undefined> {
    let gathering = this.#open.get(type);
    // Who asks twice gets two rows: what is in them may be changed.
    if (!gathering || gathering.size === MOST || gathering.has(id)) {
      const begun: Gathering = new Map();
      this.#open.set(type, begun);
      // After all that goes on at once with what came before, promises included.
      process.nextTick(() => this.#ask(type, key, begun));
      gathering = begun;
    }
    const { promise, resolve, reject } = Promise.withResolvers<Row | undefined>();
    gathering.set(id, { resolve, reject });
    return promise;
  }

  #ask(type: EntityType, key: string, gathering: Gathering): void {
    if (this.#open.get(type) === gathering) this.#open.delete(type);
    this.#run(selectRows(type, key, [...gathering.keys()])).then(
      (rows) => {
        for (const row of rows) {
          gathering.get(String(row['id']))?.resolve(row);
        }
        // The others are not there; whoever has been answered is not answered again.
        for (const { resolve } of gathering.values()) resolve(undefined);
      },
      (error: unknown) => {
        for (const { reject } of gathering.values()) reject(error);
      },
    );
  }
}

/** Who waits, by id. */
type Gathering = Map<string, Pick<PromiseWithResolvers<Row | undefined>, 'resolve' | 'reject'>>;

/** The whole row of each id that is there. */
function* selectRows(type: EntityType, key: string, ids: readonly string[]): Work<Row[]> {
  // Few texts for all numbers of ids, so that sessions keep them prepared.
  const width = 2 ** Math.ceil(Math.log2(ids.length));
  const text = type.text(`get\0${width}`, () => {
    const condition = width === 1 ? `= ?` : `IN (${Array<string>(width).fill('?').join(', ')})`;
    return `SELECT * FROM ${type.table} WHERE ${key} ${condition}`;
  });
  const values = [...ids, ...Array<unknown>(width - ids.length).fill(ids[0])];
  return yield* rowsOf({ text, values }, { idempotent: true });
}
