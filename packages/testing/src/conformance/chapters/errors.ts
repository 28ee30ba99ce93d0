import assert from 'node:assert/strict';
import { QueryError, type Connection, type DalError } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { refusal } from '../expectations.ts';
import type { Stage } from '../stage.ts';

// Stands for what nobody wants to find in a log.
const secret = 'hunter2-7319';

/** The same word for the same mistake on every engine. */
export const errors: Chapter = {
  name: 'errors',
  tests: {
    async 'a second row with the same key is "unique"'(stage) {
      const table = await stage.table(`k ${stage.types.key} NOT NULL PRIMARY KEY`);
      const insert = `INSERT INTO ${table} (k) VALUES (?)`;
      await stage.db.execute(insert, [secret]);
      await fails(stage, 'unique', insert, [secret]);
      assert.equal(await stage.count(table), 1);
    },

    async 'a reference to nothing is "foreignKey"'(stage) {
      const { integer, text } = stage.types;
      const parent = await stage.numbers(1);
      const child = await stage.table(
        `parent ${integer}, v ${text}, FOREIGN KEY (parent) REFERENCES ${parent} (id)`,
      );
      const insert = `INSERT INTO ${child} (parent, v) VALUES (?, ?)`;
      await fails(stage, 'foreignKey', insert, [73_197_319, secret], '73197319');
      await stage.db.execute(insert, [1, 'v']);
      await fails(stage, 'foreignKey', `DELETE FROM ${parent} WHERE id = ?`, [1]);
    },

    async 'a missing value is "notNull"'(stage) {
      const { integer, text } = stage.types;
      const table = await stage.table(`id ${integer} NOT NULL, v ${text}`);
      const insert = `INSERT INTO ${table} (id, v) VALUES (?, ?)`;
      await fails(stage, 'notNull', insert, [null, secret]);
    },

    async 'a value that a rule forbids is "check"'(stage) {
      const { integer, text } = stage.types;
      const table = await stage.table(`id ${integer}, v ${text}, CHECK (id > 0)`);
      const insert = `INSERT INTO ${table} (id, v) VALUES (?, ?)`;
      await fails(stage, 'check', insert, [-73_197_319, secret], '73197319');
    },

    async 'nonsense is "syntax"'(stage) {
      await fails(stage, 'syntax', 'SELEKT 1', []);
      await fails(stage, 'syntax', 'SELECT (1', []);
    },

    async 'a missing table and a missing column are "schema"'(stage) {
      await fails(stage, 'schema', 'SELECT * FROM dal_no_such_table', []);
      const table = await stage.numbers(0);
      await fails(stage, 'schema', `SELECT no_such_column FROM ${table}`, []);
      await fails(stage, 'schema', `INSERT INTO dal_no_such_table (v) VALUES (?)`, [secret]);
    },

    async 'a number that is too large is refused, and stays out of the message'(stage) {
      const table = await stage.table(`v ${stage.types.bigint}`);
      const tooLarge = 9_223_372_036_854_775_808n;
      const error = await refusal(() =>
        stage.db.execute(`INSERT INTO ${table} (v) VALUES (?)`, [tooLarge]),
      );
      assert.match(error.kind, /^(data|usage)$/);
      assert.ok(!error.message.includes(String(tooLarge)), error.message);
      assert.equal(await stage.count(table), 0);
    },

    async 'a text that is no number is "data", or is kept as it is'(stage) {
      // SQLite's columns take what they get.
      const table = await stage.table(`v ${stage.types.integer}`);
      const insert = `INSERT INTO ${table} (v) VALUES (?)`;
      let kept = true;
      try {
        await stage.db.execute(insert, [secret]);
      } catch {
        kept = false;
      }
      if (kept) assert.equal(await stage.db.queryValue(`SELECT v FROM ${table}`), secret);
      else await fails(stage, 'data', insert, [secret]);
    },

    async 'an error keeps its cause, and says the engine by its own code'(stage) {
      const error = await refusal(() => stage.db.query('SELECT * FROM dal_no_such_table'));
      assert.ok(error.cause instanceof Error, 'cause is the error of the driver');
      assert.notEqual(error.cause, error);
      assert.equal(typeof error.fault?.code, 'string');
      assert.equal(error.fault?.connectionLost ?? false, false);
      assert.equal(error.fault?.applied ?? 'no', 'no');
    },

    async 'a connection is usable after every mistake'(stage) {
      const table = await stage.numbers(1);
      const mistakes = [
        'SELEKT 1',
        'SELECT * FROM dal_no_such_table',
        `INSERT INTO ${table} (id) VALUES (1)`,
        `UPDATE ${table} SET id = NULL`,
      ];
      await using connection = await stage.db.acquire();
      for (const mistake of mistakes) {
        await refusal(() => connection.execute(mistake));
        assert.equal(await connection.queryValue('SELECT 1'), 1);
        assert.equal(connection.inTransaction, false);
      }
      assert.equal(stage.watch.open.size, 1, 'no session was thrown away');
    },

    async 'two transactions in each other’s way end with a word for it'(stage) {
      const other = await stage.second();
      const table = await stage.numbers(2);
      const [first, second] = await Promise.all([stage.db.acquire(), other.acquire()]);
      try {
        const clash = await provokeDeadlock(table, first, second);
        assert.match(clash.kind, /^(deadlock|serialization|lockTimeout)$/);
        assert.notEqual(clash.fault?.applied, 'unknown');
      } finally {
        await Promise.all([first.destroy(), second.destroy()]);
      }
      assert.equal(await stage.count(table), 2);
    },

    async 'classify judges whatever it is given'(stage) {
      for (const [what, thing] of strangeThings()) {
        let fault: unknown;
        assert.doesNotThrow(() => {
          fault = stage.driver.classify(thing);
        }, `classify threw for ${what}`);
        assert.ok(typeof fault === 'object' && fault !== null, what);
        assert.equal(typeof (fault as { kind?: unknown }).kind, 'string', what);
      }
    },

    async 'classify calls a stranger’s error unknown'(stage) {
      assert.equal(stage.driver.classify(new Error('no database said this')).kind, 'unknown');
    },
  },
};

/** The statement fails with this kind, says nothing secret, and its session goes on. */
async function fails(
  stage: Stage,
  kind: string,
  text: string,
  values: readonly unknown[],
  alsoSecret: string = secret,
): Promise<void> {
  await using connection = await stage.db.acquire();
  const error = await refusal(() => connection.execute(text, values));
  assert.equal(error.kind, kind, error.message);
  assert.ok(error instanceof QueryError);
  assert.match(error.code, /^DAL_/);
  assert.ok(error.cause instanceof Error);
  for (const word of [secret, alsoSecret]) {
    assert.ok(!error.message.includes(word), `a value stands in the message: ${error.message}`);
  }
  assert.equal(await connection.queryValue('SELECT 1'), 1);
}

/** Each locks a row and then wants the other's; resolves with the first error. */
async function provokeDeadlock(
  table: string,
  first: Connection,
  second: Connection,
): Promise<DalError> {
  const update = (connection: Connection, id: number): Promise<unknown> =>
    connection.execute(`UPDATE ${table} SET v = 'w' WHERE id = ?`, [id]);
  await first.begin();
  await update(first, 1);
  // Where one writer locks everything, the second cannot even begin.
  const start = (): Promise<unknown> => second.begin().then(() => update(second, 2));
  const began = await start().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (began) return refusal(() => Promise.reject(began.error));
  return new Promise((resolve, reject) => {
    const attempts = [update(first, 2), update(second, 1)];
    for (const attempt of attempts) {
      refusal(() => attempt).then(resolve, () => undefined);
    }
    Promise.all(attempts).then(
      () => reject(new Error('both updates went through')),
      () => undefined,
    );
  });
}

function strangeThings(): [string, unknown][] {
  const throwing = (): never => {
    throw new Error('do not touch');
  };
  const prickly = new Proxy(new Error('prickly'), {
    get: throwing,
    has: throwing,
    getPrototypeOf: throwing,
    ownKeys: throwing,
    getOwnPropertyDescriptor: throwing,
  });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const circular = new Error('circular');
  circular.cause = circular;
  const getter = new Error('getter');
  Object.defineProperty(getter, 'code', { get: throwing });
  const manyErrors = new AggregateError([new Error('a'), undefined, circular]);
  return [
    ['undefined', undefined],
    ['null', null],
    ['a number', 42],
    ['a text', 'text'],
    ['a symbol', Symbol('x')],
    ['a function', throwing],
    ['an empty object', {}],
    ['an object without prototype', Object.create(null)],
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['a number as code', Object.assign(new Error('x'), { code: 5, errno: {} })],
    ['an object as code', { code: {}, errno: 'text', message: 7, sqlState: [] }],
    ['a name of Object.prototype as code', { code: 'constructor', errno: 'toString' }],
    ['a proxy that throws', prickly],
    ['a revoked proxy', revoked.proxy],
    ['a circular cause', circular],
    ['a getter that throws', getter],
    ['many errors', manyErrors],
    ['a long message', new Error('x'.repeat(1_000_000))],
  ];
}
