import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection, Isolation, Transaction } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { eventually, refusal, within } from '../expectations.ts';
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

    async 'nested transactions side by side take turns, and each undoes its own part'(stage) {
      withSavepoints(stage);
      const table = await stage.numbers(0);
      await stage.db.transaction(async (tx) => {
        const attempts = [0, 1, 2, 3, 4].map((id) =>
          tx.transaction(async (nested) => {
            await insert(nested, table, id);
            await insert(nested, table, id + 10);
            if (id % 2 === 1) throw new Error('odd');
          }),
        );
        const outcomes = (await Promise.allSettled(attempts)).map(({ status }) => status);
        assert.deepEqual(
          outcomes.map((status) => status === 'fulfilled'),
          [true, false, true, false, true],
        );
      });
      assert.deepEqual(await ids(stage, table), [0, 2, 4, 10, 12, 14]);
    },

    async 'a statement beside a nested transaction is not undone with it'(stage) {
      withSavepoints(stage);
      const table = await stage.numbers(0);
      await stage.db.transaction(async (tx) => {
        const nested = tx.transaction(async (inner) => {
          await insert(inner, table, 1);
          await pause(20);
          throw new Error('inner');
        });
        await Promise.all([assert.rejects(nested, /inner/), insert(tx, table, 2)]);
      });
      assert.deepEqual(await ids(stage, table), [2]);
    },

    async 'inside a nested callback the outer transaction may be used, and is undone with it'(
      stage,
    ) {
      withSavepoints(stage);
      const table = await stage.numbers(0);
      await within(10_000, 'the transaction', () =>
        stage.db.transaction(async (tx) => {
          const nested = tx.transaction(async () => {
            await insert(tx, table, 1);
            await tx.transaction((deeper) => insert(deeper, table, 2));
            throw new Error('inner');
          });
          await assert.rejects(nested, /inner/);
          await insert(tx, table, 3);
        }),
      );
      assert.deepEqual(await ids(stage, table), [3]);
    },

    async 'a nested transaction that has ended runs nothing any more'(stage) {
      withSavepoints(stage);
      const table = await stage.numbers(0);
      await stage.db.transaction(async (tx) => {
        let kept: Transaction | undefined;
        await tx.transaction(async (nested) => {
          kept = nested;
        });
        await refusal(() => insert(present(kept), table, 1));
        await insert(tx, table, 2);
      });
      assert.deepEqual(await ids(stage, table), [2]);
    },

    async 'strictConcurrency refuses a second statement and names both'(stage) {
      const table = await stage.numbers(0);
      await stage.db.transaction(
        async (tx) => {
          const first = insert(tx, table, 1);
          // Awaited below; a driver that fails it earlier must not end the process.
          first.catch(() => undefined);
          const error = await refusal(() => tx.query(`SELECT v FROM ${table}`));
          assert.equal(error.code, 'DAL_TRANSACTION_BUSY');
          assert.ok(error.message.includes(`INSERT INTO ${table}`), error.message);
          assert.ok(error.message.includes(`SELECT v FROM ${table}`), error.message);
          await first;
          await insert(tx, table, 2);
        },
        { strictConcurrency: true },
      );
      assert.deepEqual(await ids(stage, table), [1, 2]);
    },

    async 'an unknown option is refused with the likely right one'(stage) {
      const options = { isolationLevel: 'serializable' } as object;
      let called = false;
      const error = await refusal(() =>
        stage.db.transaction(async () => {
          called = true;
        }, options),
      );
      assert.match(error.message, /"isolationLevel".*"isolation"/);
      assert.equal(called, false);
    },

    async 'a deadline ends the transaction whatever its callback waits for'(stage) {
      await stage.needsDataAfterStop();
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(0);
      const tooLate = Promise.withResolvers<void>();
      let kept: Transaction | undefined;
      const started = performance.now();
      const error = await refusal(() =>
        stage.db.transaction(
          async (tx) => {
            kept = tx;
            await insert(tx, table, 1);
            await tooLate.promise;
            await insert(tx, table, 2);
          },
          { timeoutMs: 300 },
        ),
      );
      assert.equal(error.code, 'DAL_TRANSACTION_TIMEOUT');
      assert.ok(performance.now() - started < 6_000, 'the caller waited for the callback');
      // The only connection is free, and nothing holds the row.
      await within(5_000, 'the next one', () => insert(stage.db, table, 1));
      tooLate.resolve();
      await pause(50);
      assert.equal((await refusal(() => insert(present(kept), table, 3))).kind, 'usage');
      assert.deepEqual(await ids(stage, table), [1]);
    },

    async 'an abort ends the transaction whatever its callback waits for'(stage) {
      const table = await stage.numbers(0);
      const over = new AbortController();
      const error = await refusal(() =>
        within(5_000, 'the transaction', () =>
          stage.db.transaction(
            async (tx) => {
              await insert(tx, table, 1);
              over.abort(new Error('mine'));
              await new Promise(() => undefined);
            },
            { signal: over.signal },
          ),
        ),
      );
      assert.equal(error.kind, 'cancelled');
      assert.equal(await stage.count(table), 0);
      await eventually(2_000, 'the loan ended', () => stage.db.pool.stats().lent === 0);
    },

    async 'a deadline ends a stream that is being read in the transaction'(stage) {
      await stage.needsDataAfterStop();
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(300);
      const started = performance.now();
      const error = await refusal(() =>
        stage.db.transaction(
          async (tx) => {
            const batches = tx.stream(`SELECT id FROM ${table}`, [], { batchSize: 10 });
            for await (const batch of batches) {
              assert.ok(batch.length > 0);
              await new Promise(() => undefined);
            }
          },
          { timeoutMs: 300 },
        ),
      );
      assert.equal(error.code, 'DAL_TRANSACTION_TIMEOUT');
      assert.ok(performance.now() - started < 6_000, 'the caller waited for the loop');
      await within(5_000, 'the next statement', () => insert(stage.db, table, 1_000));
    },

    async 'statements that wait when the callback throws are never sent'(stage) {
      const table = await stage.numbers(0);
      const settled: Promise<unknown>[] = [];
      const attempt = stage.db.transaction(async (tx) => {
        for (const id of [1, 2, 3, 4]) settled.push(insert(tx, table, id).catch(() => undefined));
        throw new Error('mine');
      });
      await assert.rejects(attempt, /mine/);
      await Promise.all(settled);
      assert.equal(await stage.count(table), 0);
    },

    async 'a BEGIN inside a transaction is refused'(stage) {
      const [begin] = stage.dialect.transaction?.begin({}) ?? [];
      if (begin === undefined) return stage.skip('dialect.transaction is null');
      const table = await stage.numbers(0);
      const attempt = stage.db.transaction(async (tx) => {
        await insert(tx, table, 1);
        assert.equal((await refusal(() => tx.execute(begin))).kind, 'usage');
        throw new Error('undone');
      });
      await assert.rejects(attempt, /undone/);
      assert.equal(await stage.count(table), 0);
    },

    async 'transactions side by side on one connection take turns'(stage) {
      const table = await stage.numbers(0);
      await stage.db.connection(async (connection) => {
        const failing = connection.transaction(async (tx) => {
          await insert(tx, table, 1);
          await pause(20);
          throw new Error('mine');
        });
        await Promise.all([
          assert.rejects(failing, /mine/),
          connection.transaction((tx) => insert(tx, table, 2)),
          insert(connection, table, 3),
        ]);
      });
      assert.deepEqual(await ids(stage, table), [2, 3]);
    },

    async 'a transaction inside one that was begun by hand is a part of it'(stage) {
      withSavepoints(stage);
      const table = await stage.numbers(0);
      await stage.db.connection(async (connection) => {
        await connection.begin();
        await insert(connection, table, 1);
        const failing = connection.transaction(async (tx) => {
          await insert(tx, table, 2);
          throw new Error('mine');
        });
        await assert.rejects(failing, /mine/);
        await connection.transaction((tx) => insert(tx, table, 3));
        await connection.commit();
      });
      assert.deepEqual(await ids(stage, table), [1, 3]);
    },

    async 'begin, commit and rollback are refused where they make no sense'(stage) {
      const table = await stage.numbers(0);
      await stage.db.connection(async (connection) => {
        const refused = async (run: () => Promise<unknown>): Promise<void> => {
          assert.equal((await refusal(run)).kind, 'usage');
        };
        await refused(() => connection.commit());
        await connection.begin();
        await refused(() => connection.begin());
        await refused(() => connection.transaction(async () => undefined, { readOnly: true }));
        await insert(connection, table, 1);
        await connection.commit();
        await connection.transaction(async (tx) => {
          await insert(tx, table, 2);
          await refused(() => connection.commit());
          await refused(() => connection.rollback());
          await refused(() => connection.begin());
        });
        await connection.rollback();
      });
      assert.deepEqual(await ids(stage, table), [1, 2]);
    },

    async 'the deadline of a transaction begun by hand undoes it'(stage) {
      const table = await stage.numbers(0);
      await stage.db.connection(async (connection) => {
        await connection.begin({ timeoutMs: 150 });
        await insert(connection, table, 1);
        await eventually(5_000, 'the rollback', () => !connection.inTransaction);
        assert.equal((await refusal(() => insert(connection, table, 2))).kind, 'usage');
        await refusal(() => connection.commit());
        await insert(connection, table, 3);
      });
      assert.deepEqual(await ids(stage, table), [3]);
    },

    async 'DDL that would commit is refused by strictDdl, and ends the transaction without it'(
      stage,
    ) {
      if (!stage.dialect.ddlCommits) return stage.skip('dialect.ddlCommits is not true');
      const table = await stage.numbers(0);
      const alter = `ALTER TABLE ${table} ADD COLUMN extra ${stage.types.integer}`;
      const strict = stage.db.transaction(
        async (tx) => {
          await insert(tx, table, 1);
          assert.equal((await refusal(() => tx.execute(alter))).code, 'DAL_STRICT_DDL');
          throw new Error('undone');
        },
        { strictDdl: true },
      );
      await assert.rejects(strict, /undone/);
      assert.equal(await stage.count(table), 0);

      const told: string[] = [];
      stage.db.hooks.on('implicitCommit', ({ statement }) => told.push(statement));
      const gone = stage.db.transaction(async (tx) => {
        await insert(tx, table, 2);
        await tx.execute(alter);
        await insert(tx, table, 3);
      });
      assert.equal((await refusal(() => gone)).code, 'DAL_TRANSACTION_GONE');
      assert.deepEqual(told, [alter]);
      assert.deepEqual(await ids(stage, table), [2]);
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
