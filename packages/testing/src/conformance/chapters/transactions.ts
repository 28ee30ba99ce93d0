import assert from 'node:assert/strict';
import type { Connection, Isolation, Transaction } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { refusal, within } from '../expectations.ts';
import type { Stage } from '../stage.ts';

/** All or nothing, and nobody inherits an open transaction. */
export const transactions: Chapter = {
  name: 'transactions',
  tests: {
    async 'a second session sees what was committed, and not before'(stage) {
      const table = await stage.numbers(0);
      const other = await stage.second();
      const answer = await stage.db.transaction(async (tx) => {
        await insert(tx, table, 1);
        assert.equal(await stage.count(table, tx), 1);
        assert.equal(await stage.count(table, other), 0);
        return 'answer';
      });
      assert.equal(answer, 'answer');
      assert.equal(await stage.count(table, other), 1);
    },

    async 'a second session sees a single statement at once'(stage) {
      const table = await stage.numbers(0);
      const other = await stage.second();
      await insert(stage.db, table, 1);
      assert.equal(await stage.count(table, other), 1);
    },

    async 'a callback that throws undoes everything, and its error comes out'(stage) {
      const table = await stage.numbers(0);
      const thrown = new Error('mine');
      const attempt = stage.db.transaction(async (tx) => {
        await insert(tx, table, 1);
        throw thrown;
      });
      await assert.rejects(attempt, (error) => error === thrown);
      assert.equal(await stage.count(table), 0);
      assert.equal(stage.db.pool.stats().lent, 0);
    },

    async 'a nested transaction that throws undoes its own part only'(stage) {
      withSavepoints(stage);
      const table = await stage.numbers(0);
      await stage.db.transaction(async (tx) => {
        await insert(tx, table, 1);
        const inner = tx.transaction(async (nested) => {
          await insert(nested, table, 2);
          throw new Error('inner');
        });
        await assert.rejects(inner, /inner/);
        await tx.transaction((nested) => insert(nested, table, 3));
      });
      assert.deepEqual(await ids(stage, table), [1, 3]);
    },

    async 'a nested transaction goes when the outer one throws'(stage) {
      withSavepoints(stage);
      const table = await stage.numbers(0);
      const outer = stage.db.transaction(async (tx) => {
        await tx.transaction(async (nested) => {
          await insert(nested, table, 1);
          await nested.transaction((deeper) => insert(deeper, table, 2));
        });
        throw new Error('outer');
      });
      await assert.rejects(outer, /outer/);
      assert.equal(await stage.count(table), 0);
    },

    async 'a failed statement in a nested transaction leaves the outer one alive'(stage) {
      withSavepoints(stage);
      const table = await stage.numbers(1);
      await stage.db.transaction(async (tx) => {
        await insert(tx, table, 2);
        await refusal(() => tx.transaction((nested) => insert(nested, table, 1)));
        await insert(tx, table, 3);
      });
      assert.deepEqual(await ids(stage, table), [1, 2, 3]);
    },

    async 'nesting is refused where the engine has no savepoints'(stage) {
      const { transaction } = stage.dialect;
      const members = await stage.members();
      if (members.has('savepoint') || transaction?.savepoint) {
        return stage.skip('the dialect has savepoints');
      }
      await stage.db.transaction(async (tx) => {
        const error = await refusal(() => tx.transaction(async () => undefined));
        assert.equal(error.kind, 'usage');
      });
    },

    async 'every declared isolation works'(stage) {
      const table = await stage.numbers(0);
      for (const [index, isolation] of stage.dialect.isolations.entries()) {
        await stage.db.transaction((tx) => insert(tx, table, index), { isolation });
      }
      assert.equal(await stage.count(table), stage.dialect.isolations.length);
    },

    async 'an isolation that is not declared is refused'(stage) {
      const isolation: Isolation = 'noSuchIsolation';
      let called = false;
      const error = await refusal(() =>
        stage.db.transaction(
          async () => {
            called = true;
          },
          { isolation },
        ),
      );
      assert.match(error.message, /noSuchIsolation/);
      assert.equal(called, false);
    },

    async 'begin, commit and rollback by hand'(stage) {
      const table = await stage.numbers(0);
      await stage.db.connection(async (connection) => {
        assert.equal(connection.inTransaction, false);
        await connection.begin();
        assert.equal(connection.inTransaction, true);
        await insert(connection, table, 1);
        await connection.commit();
        assert.equal(connection.inTransaction, false);
        await connection.begin();
        await insert(connection, table, 2);
        await connection.rollback();
        assert.equal(connection.inTransaction, false);
      });
      assert.deepEqual(await ids(stage, table), [1]);
    },

    async 'a transaction on a connection'(stage) {
      const table = await stage.numbers(0);
      await stage.db.connection(async (connection) => {
        await connection.transaction((tx) => insert(tx, table, 1));
        const failing = connection.transaction(async (tx) => {
          await insert(tx, table, 2);
          throw new Error('mine');
        });
        await assert.rejects(failing, /mine/);
        assert.equal(connection.inTransaction, false);
      });
      assert.deepEqual(await ids(stage, table), [1]);
    },

    async 'a BEGIN sent as plain SQL is seen'(stage) {
      await withStatus(stage);
      await stage.db.connection(async (connection) => {
        await beginAsSql(stage, connection);
        assert.equal(connection.inTransaction, true);
        await connection.execute('ROLLBACK');
        assert.equal(connection.inTransaction, false);
      });
    },

    async 'an open transaction never reaches the next borrower'(stage) {
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(0);
      {
        await using connection = await stage.db.acquire();
        await connection.begin();
        await insert(connection, table, 1);
      }
      await nobodyInherits(stage, table);
    },

    async 'a transaction opened as plain SQL never reaches the next borrower'(stage) {
      await withStatus(stage);
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(0);
      {
        await using connection = await stage.db.acquire();
        await beginAsSql(stage, connection);
        await insert(connection, table, 1);
      }
      await nobodyInherits(stage, table);
      // Sent through the pool there is no borrower to blame, only a statement.
      if (stage.dialect.transaction) {
        for (const text of stage.dialect.transaction.begin({})) {
          await stage.db.execute(text).catch(() => undefined);
        }
        await nobodyInherits(stage, table);
      }
    },

    async 'readOnly refuses writes and leaves no trace'(stage) {
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(1);
      await stage.db.transaction(
        async (tx) => {
          assert.equal(await stage.count(table, tx), 1);
        },
        { readOnly: true },
      );
      const error = await refusal(() =>
        stage.db.transaction((tx) => insert(tx, table, 2), { readOnly: true }),
      );
      assert.equal(error.kind, 'readOnly');
      await insert(stage.db, table, 3);
      assert.deepEqual(await ids(stage, table), [1, 3]);
    },

    async 'executeMany is all or nothing'(stage) {
      const table = await stage.numbers(0);
      const text = `INSERT INTO ${table} (id, v) VALUES (?, ?)`;
      const rows = [
        [1, 'a'],
        [2, 'b'],
        [1, 'again'],
        [3, 'c'],
      ];
      await refusal(() => stage.db.executeMany(text, rows));
      assert.equal(await stage.count(table), 0);
    },

    async 'executeMany that fails inside a transaction undoes its own rows only'(stage) {
      withSavepoints(stage);
      const table = await stage.numbers(0);
      await stage.db.transaction(async (tx) => {
        await insert(tx, table, 1);
        const rows = [[2], [3], [1]];
        await refusal(() => tx.executeMany(`INSERT INTO ${table} (id) VALUES (?)`, rows));
        await insert(tx, table, 4);
      });
      assert.deepEqual(await ids(stage, table), [1, 4]);
    },

    async 'a swallowed error never makes half a transaction look whole'(stage) {
      // MySQL and SQLite undo the statement, PostgreSQL the transaction: both fine, if it is said.
      const table = await stage.numbers(1);
      let committed = true;
      try {
        await stage.db.transaction(async (tx) => {
          await insert(tx, table, 2);
          await refusal(() => insert(tx, table, 1));
        });
      } catch {
        committed = false;
      }
      assert.deepEqual(await ids(stage, table), committed ? [1, 2] : [1]);
      assert.equal(await stage.db.queryValue('SELECT 1'), 1);
    },

    async 'a transaction that has ended runs nothing any more'(stage) {
      const table = await stage.numbers(0);
      let kept: Transaction | undefined;
      await stage.db.transaction(async (tx) => {
        kept = tx;
      });
      await refusal(() => insert(present(kept), table, 1));
      await stage.db
        .transaction(async (tx) => {
          kept = tx;
          throw new Error('undone');
        })
        .catch(() => undefined);
      await refusal(() => insert(present(kept), table, 2));
      assert.equal(await stage.count(table), 0);
    },

    async 'statements started together in a transaction all belong to it'(stage) {
      const table = await stage.numbers(0);
      const attempt = stage.db.transaction(async (tx) => {
        await Promise.all([1, 2, 3, 4, 5].map((id) => insert(tx, table, id)));
        assert.equal(await stage.count(table, tx), 5);
        throw new Error('undone');
      });
      await assert.rejects(attempt, /undone/);
      assert.equal(await stage.count(table), 0);
    },

    async 'transactions side by side keep apart'(stage) {
      const table = await stage.numbers(0);
      await within(15_000, 'eight transactions', async () => {
        const attempts = Array.from({ length: 8 }, (_, id) =>
          stage.db.transaction(async (tx) => {
            await insert(tx, table, id);
            if (id % 2 === 1) throw new Error('odd');
          }),
        );
        const settled = await Promise.allSettled(attempts);
        assert.equal(settled.filter(({ status }) => status === 'rejected').length, 4);
      });
      assert.deepEqual(await ids(stage, table), [0, 2, 4, 6]);
    },
  },
};

async function insert(on: Pick<Transaction, 'execute'>, table: string, id: number): Promise<void> {
  await on.execute(`INSERT INTO ${table} (id) VALUES (?)`, [id]);
}

async function ids(stage: Stage, table: string): Promise<unknown[]> {
  const rows = await stage.db.query(`SELECT id FROM ${table} ORDER BY id`);
  return rows.map((row) => row['id']);
}

async function nobodyInherits(stage: Stage, table: string): Promise<void> {
  assert.equal(await stage.count(table), 0);
  await using next = await stage.db.acquire();
  assert.equal(next.inTransaction, false);
  await next.execute(`INSERT INTO ${table} (id) VALUES (?)`, [99]);
  if (!stage.watch.isPrivate()) {
    assert.equal(await stage.count(table, await stage.second()), 1, 'a new row is seen at once');
  }
  await next.execute(`DELETE FROM ${table}`);
}

async function beginAsSql(stage: Stage, connection: Connection): Promise<void> {
  for (const text of stage.dialect.transaction?.begin({}) ?? []) await connection.execute(text);
}

function withSavepoints(stage: Stage): void {
  const { transaction } = stage.dialect;
  if (transaction && !transaction.savepoint)
    return stage.skip('dialect.transaction.savepoint is null');
}

async function withStatus(stage: Stage): Promise<void> {
  if (!stage.dialect.transaction) return stage.skip('dialect.transaction is null');
  if (!(await stage.members()).has('status')) return stage.skip('sessions have no status()');
}

function present<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}
