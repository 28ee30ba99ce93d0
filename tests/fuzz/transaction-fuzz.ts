import assert from 'node:assert/strict';
import { type Connection, type DalError, type Database, isDalError } from '@dal/core';
import { SeededRandom } from '../setup/seeded-random.ts';
import { TransactionModel } from './transaction-model.ts';

export interface FuzzEngine {
  readonly name: 'postgres' | 'mysql' | 'mariadb' | 'sqlite';
  /** A read of some milliseconds. */
  readonly slow: string;
  /** The text that ends the session with this number, where another session can. */
  readonly kill: ((session: number) => string) | undefined;
  readonly sessionId: string | undefined;
}

export interface FuzzReport {
  readonly steps: Readonly<Record<string, number>>;
}

const IDS = 8;

/**
 * A random program on one lent connection, step by step beside the model. After each step the
 * connection must say the same about its transaction, and see the same rows; a second session must
 * see what is committed, and nothing else.
 *
 * @throws Error with the seed and the last steps
 */
export async function fuzzTransactions(
  db: Database,
  observer: Database,
  engine: FuzzEngine,
  { steps, seed }: { steps: number; seed: number },
): Promise<FuzzReport> {
  await using program = await Program.start(db, observer, engine, new SeededRandom(seed));
  try {
    for (let step = 0; step < steps; step++) await program.step();
    await program.audit();
  } catch (error) {
    const trace = program.trace.slice(-25).join('\n  ');
    throw new Error(`seed ${seed}, the last steps:\n  ${trace}`, { cause: error });
  }
  return {
    steps: Object.fromEntries([...program.counts].toSorted(([a], [b]) => a.localeCompare(b))),
  };
}

class Program implements AsyncDisposable {
  readonly counts = new Map<string, number>();
  readonly trace: string[] = [];
  readonly #db: Database;
  readonly #observer: Database;
  readonly #engine: FuzzEngine;
  readonly #random: SeededRandom;
  readonly #model = new TransactionModel();
  #connection: Connection;

  private constructor(
    db: Database,
    observer: Database,
    engine: FuzzEngine,
    random: SeededRandom,
    connection: Connection,
  ) {
    this.#db = db;
    this.#observer = observer;
    this.#engine = engine;
    this.#random = random;
    this.#connection = connection;
  }

  static async start(
    db: Database,
    observer: Database,
    engine: FuzzEngine,
    random: SeededRandom,
  ): Promise<Program> {
    await observer.execute('DROP TABLE IF EXISTS fuzz_rows');
    await observer.execute('CREATE TABLE fuzz_rows (id int PRIMARY KEY, n int NOT NULL)');
    return new Program(db, observer, engine, random, await db.acquire());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
    await this.#observer.execute('DROP TABLE IF EXISTS fuzz_rows');
  }

  async step(): Promise<void> {
    const name = this.#choose();
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.trace.push(name);
    await this[name]();
    assert.equal(this.#connection.inTransaction, this.#model.open !== undefined, 'inTransaction');
  }

  /** What is committed, seen from a second session. */
  async audit(): Promise<void> {
    const rows = await this.#observer.query<{ id: number; n: number }>(
      'SELECT id, n FROM fuzz_rows ORDER BY id',
    );
    assert.deepEqual(rows, listed(this.#model.committed), 'what another session sees');
  }

  #choose(): Step {
    const { open, failed } = this.#model;
    const choices: [Step, number][] = [
      ['insert', 20],
      ['update', 15],
      ['remove', 10],
      ['read', 15],
      ['mistake', 2],
      ['cancel', 1],
      ['abortEarly', 1],
      ['kill', 0.3],
      ['giveBack', 1],
    ];
    if (!open) choices.push(['begin', 20], ['beginByText', 5]);
    else {
      choices.push(['commit', 6], ['commitByText', 2], ['rollback', 4]);
      if (!failed) choices.push(['savepoint', 10], ['nested', 3]);
      if (open.savepoints.length > 0) {
        choices.push(['rollbackTo', failed ? 15 : 5]);
        if (!failed) choices.push(['release', 4]);
      }
    }
    let at = this.#random.next() * choices.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of choices) {
      at -= weight;
      if (at < 0) return name;
    }
    return 'read';
  }

  async begin(): Promise<void> {
    await this.#connection.begin();
    this.#model.begin();
  }

  async beginByText(): Promise<void> {
    await this.#connection.execute(this.#engine.name === 'sqlite' ? 'BEGIN IMMEDIATE' : 'BEGIN');
    this.#model.begin();
  }

  async commit(): Promise<void> {
    const refused = await this.#refusal(this.#connection.commit());
    assert.equal(refused === undefined, this.#model.commit(), `commit: ${refused?.message}`);
    await this.audit();
  }

  async commitByText(): Promise<void> {
    await this.#connection.execute('COMMIT');
    this.#model.commit();
    await this.audit();
  }

  async rollback(): Promise<void> {
    await this.#connection.rollback();
    this.#model.rollback();
    await this.audit();
  }

  async savepoint(): Promise<void> {
    await this.#connection.execute(`SAVEPOINT ${this.#model.savepoint()}`);
  }

  async rollbackTo(): Promise<void> {
    const { name } = this.#random.pick(this.#model.open?.savepoints ?? []);
    await this.#connection.execute(`ROLLBACK TO SAVEPOINT ${name}`);
    this.#model.rollbackTo(name);
  }

  async release(): Promise<void> {
    const { name } = this.#random.pick(this.#model.open?.savepoints ?? []);
    await this.#connection.execute(`RELEASE SAVEPOINT ${name}`);
    this.#model.release(name);
  }

  /** A callback of the layer's own inside the open transaction, which ends well or doesn't. */
  async nested(): Promise<void> {
    const [id, n, fails] = [this.#id(), this.#random.between(0, 99), this.#random.next() < 0.5];
    const before = this.#model.rows;
    const running = this.#connection.transaction(async (tx) => {
      await tx.execute('DELETE FROM fuzz_rows WHERE id = ?', [id]);
      await tx.execute('INSERT INTO fuzz_rows VALUES (?, ?)', [id, n]);
      if (fails) throw new Error('on purpose');
    });
    if (fails) await assert.rejects(running, /on purpose/);
    else await running;
    this.#model.write((rows) => rows.set(id, n));
    if (fails) this.#model.write((rows) => copyInto(rows, before));
  }

  async insert(): Promise<void> {
    const [id, n] = [this.#id(), this.#random.between(0, 99)];
    const refused = await this.#refusal(
      this.#connection.execute('INSERT INTO fuzz_rows VALUES (?, ?)', [id, n]),
    );
    const isDouble = this.#model.rows.has(id);
    if (this.#model.failed) assert.ok(refused, 'a failed transaction took an INSERT');
    else if (isDouble) {
      assert.equal(refused?.kind, 'unique');
      this.#noteFailure();
    } else {
      assert.equal(refused, undefined);
      this.#model.write((rows) => rows.set(id, n));
    }
  }

  async update(): Promise<void> {
    const [id, n] = [this.#id(), this.#random.between(100, 999)];
    await this.#change('UPDATE fuzz_rows SET n = ? WHERE id = ?', [n, id], (rows) => {
      if (rows.has(id)) rows.set(id, n);
    });
  }

  async remove(): Promise<void> {
    const id = this.#id();
    await this.#change('DELETE FROM fuzz_rows WHERE id = ?', [id], (rows) => rows.delete(id));
  }

  async read(): Promise<void> {
    const running = this.#connection.query('SELECT id, n FROM fuzz_rows ORDER BY id');
    if (this.#model.failed) assert.ok(await this.#refusal(running), 'a failed transaction read');
    else assert.deepEqual(await running, listed(this.#model.rows), 'what the connection sees');
  }

  async mistake(): Promise<void> {
    assert.ok(await this.#refusal(this.#connection.query('SELEKT 1')));
    if (!this.#model.failed) this.#noteFailure();
  }

  /** Stopped while it runs, or a little before or after. */
  async cancel(): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const running = this.#connection.query(this.#engine.slow, [], { signal });
    setTimeout(() => controller.abort(), this.#random.between(0, 6));
    const refused = await this.#refusal(running);
    if (refused === undefined) return;
    if (this.#engine.name === 'sqlite') return this.#reconnect();
    const after = await this.#refusal(this.#connection.query('SELECT 1'));
    if (after === undefined) assert.ok(!this.#model.failed, 'a failed transaction answered');
    else {
      assert.equal(this.#engine.name, 'postgres', after.message);
      assert.ok(this.#model.open, after.message);
      this.#noteFailure();
    }
  }

  async abortEarly(): Promise<void> {
    const refused = await this.#refusal(
      this.#connection.execute('DELETE FROM fuzz_rows', [], { signal: AbortSignal.abort() }),
    );
    assert.equal(refused?.code, 'DAL_ABORTED');
  }

  /** The session ends in the middle of whatever it was doing. */
  async kill(): Promise<void> {
    const { kill, sessionId } = this.#engine;
    if (!kill || !sessionId) {
      await this.#connection.destroy();
      this.#connection = await this.#db.acquire();
      this.#model.rollback();
      return;
    }
    if (this.#model.failed) return;
    const id = Number(await this.#connection.queryValue(sessionId));
    await this.#observer.query(kill(id));
    const gone = await this.#refusal(this.#connection.query('SELECT 1'));
    assert.equal(gone?.name, 'ConnectionError');
    await this.#reconnect();
  }

  /** An open transaction does not come back with the next loan. */
  async giveBack(): Promise<void> {
    await this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    await this.#connection.release();
    this.#connection = await this.#db.acquire();
    this.#model.rollback();
    await this.audit();
  }

  async #change(
    text: string,
    values: readonly unknown[],
    change: (rows: Map<number, number>) => void,
  ): Promise<void> {
    const refused = await this.#refusal(this.#connection.execute(text, values));
    if (this.#model.failed) assert.ok(refused, 'a failed transaction took a change');
    else {
      assert.equal(refused, undefined);
      this.#model.write(change);
    }
  }

  /** On PostgreSQL an error fails the whole transaction; elsewhere only its statement. */
  #noteFailure(): void {
    if (this.#model.open && this.#engine.name === 'postgres') this.#model.open.failed = true;
  }

  #id(): number {
    return this.#random.between(1, IDS);
  }

  async #refusal(running: Promise<unknown>): Promise<DalError | undefined> {
    try {
      await running;
      return undefined;
    } catch (error) {
      if (!isDalError(error)) throw error;
      this.trace.push(`    ${error.code}`);
      return error;
    }
  }
}

type Step = Exclude<
  {
    [Key in keyof Program]: Program[Key] extends () => Promise<void> ? Key : never;
  }[keyof Program],
  'step' | 'audit' | typeof Symbol.asyncDispose
>;

function listed(rows: ReadonlyMap<number, number>): { id: number; n: number }[] {
  return [...rows].map(([id, n]) => ({ id, n })).toSorted((a, b) => a.id - b.id);
}

function copyInto(rows: Map<number, number>, from: ReadonlyMap<number, number>): void {
  rows.clear();
  for (const [id, n] of from) rows.set(id, n);
}
