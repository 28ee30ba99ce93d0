import assert from 'node:assert/strict';
import { sql } from '@dal/core';
import {
  EntityNotFoundError,
  type EntityVerbs,
  type EntityVersion,
  type SystemFields,
  VersionConflictError,
} from '@dal/entity';
import type { Database } from '@dal/factory';
import { SeededRandom } from '../setup/seeded-random.ts';
import { type Author, EntityModel, type ModelVersion } from './entity-model.ts';
import { fields, randomFields } from './random-values.ts';

export interface RandomRun {
  readonly steps: number;
  readonly seed: number;
}

const TYPE = 'things';
const IDS = 12;
const AUDIT_EVERY = 250;

/**
 * A random life of a dozen entities beside the model, step by step: what a verb answers and what `get`
 * says afterwards must be what the model says. Now and then, and at the end, every version of every
 * entity is compared, and counted by a session that knows nothing of entities.
 *
 * @returns how often each kind of step was taken
 * @throws Error with the seed and the last steps
 */
export async function liveRandomly(
  em: EntityVerbs<'awaited'>,
  observer: Database,
  { steps, seed }: RandomRun,
): Promise<ReadonlyMap<string, number>> {
  const life = new RandomLife(em, observer, new SeededRandom(seed));
  try {
    for (let step = 1; step <= steps; step++) {
      await life.step();
      if (step % AUDIT_EVERY === 0 || step === steps) await life.audit();
    }
  } catch (error) {
    const trace = life.trace.slice(-25).join('\n  ');
    throw new Error(`ENTITY_SEED=${seed}, the last steps:\n  ${trace}\n${String(error)}`, {
      cause: error,
    });
  }
  return life.counts;
}

class RandomLife {
  readonly counts = new Map<string, number>();
  readonly trace: string[] = [];
  readonly #em: EntityVerbs<'awaited'>;
  readonly #observer: Database;
  readonly #random: SeededRandom;
  readonly #model = new EntityModel();

  constructor(em: EntityVerbs<'awaited'>, observer: Database, random: SeededRandom) {
    this.#em = em;
    this.#observer = observer;
    this.#random = random;
  }

  async step(): Promise<void> {
    const random = this.#random;
    const id = `e${random.between(1, IDS)}`;
    const kind = random.pick(KINDS);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const author: Author = {
      ...(random.next() < 0.7 && { userId: random.pick(['ada', 'Łukasz', "'; --"]) }),
      ...(random.next() < 0.3 && { comment: random.pick(['why', 'Ünïcode \u{1f600}', '']) }),
    };
    await this.#take(kind, id, author);
    await this.#compare(id);
  }

  async #take(kind: Kind, id: string, author: Author): Promise<void> {
    const [em, model, random] = [this.#em, this.#model, this.#random];
    switch (kind) {
      case 'save': {
        const given = randomFields(random);
        this.#note(kind, id, given, author);
        const expected = model.save(id, given, author);
        const saved = await em.save(TYPE, { id, ...given }, author);
        return sameEntity(saved, id, expected);
      }
      case 'saveMany': {
        const list = Array.from({ length: random.between(0, 5) }, () => ({
          id: `e${random.between(1, IDS)}`,
          ...randomFields(random),
        }));
        this.#note(kind, id, list, author);
        for (const { id: one, ...given } of list) model.save(one, given, author);
        assert.deepEqual(
          await em.saveMany(TYPE, list, author),
          list.map((one) => one.id),
        );
        for (const one of list) await this.#compare(one.id);
        return;
      }
      case 'updateFields': {
        const given = randomFields(random);
        this.#note(kind, id, given, author);
        const now = model.current(id);
        const call = em.updateFields(TYPE, id, given, author);
        if (!now || now.deleted) return assert.rejects(call, EntityNotFoundError);
        return sameEntity(await call, id, model.save(id, given, author));
      }
      case 'delete':
        this.#note(kind, id, author);
        return assert.equal(await em.delete(TYPE, id, author), model.delete(id, author));
      case 'erase':
        this.#note(kind, id);
        return assert.equal(await em.delete(TYPE, id, { permanent: true }), model.erase(id));
      case 'restore':
        this.#note(kind, id, author);
        return assert.equal(await em.restore(TYPE, id, author), model.restore(id, author));
      case 'rollbackTo': {
        // One more than there are: it must say so.
        const version = random.between(1, model.versions(id).length + 1);
        this.#note(kind, id, version, author);
        const expected = model.rollbackTo(id, version, author);
        const call = em.rollbackTo(TYPE, id, version, author);
        if (!expected) return assert.rejects(call, EntityNotFoundError);
        return sameEntity(await call, id, expected);
      }
      case 'conflict': {
        const version = model.current(id)?.version ?? 0;
        const expectedVersion = random.pick([version + 1, version + 7, Math.max(0, version - 1)]);
        if (expectedVersion === version) return;
        this.#note(kind, id, expectedVersion);
        const call = em.save(TYPE, { id, title: 'never' }, { expectedVersion });
        return assert.rejects(call, VersionConflictError);
      }
      case 'find':
        return this.#find();
    }
  }

  /** A field and a value that somebody has, or had. */
  async #find(): Promise<void> {
    const random = this.#random;
    const field = random.pick(['title', 'order', 'Größe', 'big', 'done', 'at', 'naïve 名前']);
    const held = this.#model.alive().map(([, { fields: all }]) => all.get(field));
    const value: unknown = random.pick([...held, null]) ?? null;
    this.#note('find', field, value);
    const matching = this.#model.alive().filter(([, one]) => same(one.fields.get(field), value));
    const ids = matching.map(([id]) => id).toSorted();
    const found = await this.#em.find(TYPE, { where: { [field]: value }, includeDeleted: false });
    assert.deepEqual(found.map(({ id }) => id).toSorted(), ids);
    assert.equal(await this.#em.from(TYPE).where(field, value).count(), ids.length);
    for (const one of found) sameEntity(one, one.id, this.#model.current(one.id)!);
  }

  /** What `get` and `exists` say of one entity. */
  async #compare(id: string): Promise<void> {
    const expected = this.#model.current(id);
    const got = await this.#em.get(TYPE, id, { includeDeleted: true });
    if (!expected) return assert.equal(got, undefined);
    sameEntity(got, id, expected);
    if (this.#random.next() < 0.1) {
      assert.equal(await this.#em.exists(TYPE, id), !expected.deleted);
      const some = this.#random.pick(this.#model.versions(id));
      sameVersion(await this.#em.version(TYPE, id, some.version), id, some);
    }
  }

  /** Every version of every entity, and the same counts from the other session. */
  async audit(): Promise<void> {
    let total = 0;
    for (const id of this.#model.ids()) {
      const expected = this.#model.versions(id).toReversed();
      const history = await this.#em.history(TYPE, id);
      assert.equal(history.length, expected.length, `versions of ${id}`);
      for (const [at, one] of history.entries()) sameVersion(one, id, expected[at]!);
      total += expected.length;
    }
    assert.equal(await this.#em.count(TYPE), this.#model.alive().length);
    const schema = await this.#em.schema(TYPE);
    if (!schema) return assert.equal(total, 0);
    const rows = async (table: string): Promise<number> =>
      Number(await this.#observer.queryValue(sql`SELECT COUNT(*) FROM ${sql.id(table)}`));
    assert.equal(await rows(schema.table), this.#model.ids().length);
    // The row is the newest version, the history has all before it.
    assert.equal(await rows(schema.historyTable), total - this.#model.ids().length);
  }

  #note(...what: unknown[]): void {
    const plain = (_: string, value: unknown): unknown =>
      typeof value === 'bigint' ? `${value}n` : value === undefined ? '(undefined)' : value;
    this.trace.push(what.map((one) => JSON.stringify(one, plain)).join(' '));
  }
}

/** Repeated by how often they are to be taken. */
const KINDS = [
  ...repeat('save', 5),
  ...repeat('updateFields', 4),
  ...repeat('rollbackTo', 3),
  ...repeat('delete', 2),
  ...repeat('restore', 2),
  ...repeat('saveMany', 1),
  ...repeat('find', 2),
  ...repeat('conflict', 1),
  ...repeat('erase', 1),
] as const;
type Kind = (typeof KINDS)[number];

function repeat<T extends string>(what: T, times: number): T[] {
  return Array.from({ length: times }, () => what);
}

function sameVersion(actual: EntityVersion | undefined, id: string, expected: ModelVersion): void {
  const { version_operation: operation, version_comment: comment, ...rest } = actual!;
  assert.deepEqual(
    [operation, comment],
    [expected.operation, expected.comment],
    `${id}: who and why`,
  );
  sameEntity(rest, id, expected);
}

function sameEntity(actual: SystemFields | undefined, id: string, expected: ModelVersion): void {
  assert.ok(actual, `${id} is missing`);
  const {
    id: gotId,
    version,
    created_at,
    updated_at,
    deleted_at,
    created_by,
    updated_by,
    ...rest
  } = actual;
  assert.deepEqual([gotId, version], [id, expected.version]);
  assert.equal(deleted_at !== null, expected.deleted, `${id} deleted`);
  assert.equal(updated_by, expected.userId, `${id} updated_by`);
  assert.ok(created_by === null || typeof created_by === 'string');
  assert.ok(updated_at.getTime() >= created_at.getTime(), `${id} was changed before it was made`);
  for (const [name, value] of Object.entries(rest)) {
    assert.ok(Object.hasOwn(fields, name), `unknown field ${name}`);
    assert.deepEqual(value ?? null, expected.fields.get(name) ?? null, `${id}.${name}`);
  }
  for (const name of expected.fields.keys()) assert.ok(Object.hasOwn(rest, name), `${id}.${name}`);
}

function same(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  return (a ?? null) === b;
}
