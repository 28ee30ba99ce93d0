import { createServer, type Server as TcpServer } from 'node:net';
import type { DriverConnection, Fault, NativeResult } from '@dal/core';
import type { Connection } from 'mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { mysqlDriver } from '../src/mysql-driver.ts';

type Session = DriverConnection<Connection>;
type Outcome = NativeResult & { readonly fault?: Fault };

// What MySQL and MariaDB have beyond the promises of every driver, on both of them.
describe.each(inject('engines').filter(({ name }) => name === 'mysql' || name === 'mariadb'))(
  '$name',
  ({ name, url, version }) => {
    const isMariadb = name === 'mariadb';
    const home = `dal_only_${name}`;
    const opened: Session[] = [];
    const losses: unknown[] = [];

    async function open(options: object = {}): Promise<Session> {
      const checked = mysqlDriver.configure!({ url, ...options });
      const session = await mysqlDriver.connect(checked, (error) => losses.push(error));
      opened.push(session);
      return session;
    }

    function use(options: object = {}): Promise<Session> {
      return open({ database: home, ...options });
    }

    const run = (session: Session, text: string, ...values: unknown[]) =>
      session.query({ text, values });

    /** The answer, or the driver's verdict on the error. */
    async function outcome(session: Session, text: string, ...values: unknown[]): Promise<Outcome> {
      try {
        return await run(session, text, ...values);
      } catch (error) {
        return { rows: [], columns: [], affectedRows: 0, fault: mysqlDriver.classify(error) };
      }
    }

    async function value(session: Session, text: string, ...values: unknown[]): Promise<unknown> {
      const { rows } = await session.query({ text, values, rowMode: 'array' });
      return (rows[0] as unknown[])[0];
    }

    async function statusOf(session: Session, counter: string): Promise<number> {
      const { rows } = await run(session, `SHOW SESSION STATUS LIKE '${counter}'`);
      return Number((rows[0] as { Value: string }).Value);
    }

    const threadOf = (session: Session) => session.raw.threadId;

    async function sessionsOnServer(watcher: Session, threads: readonly number[]): Promise<number> {
      const { rows } = await run(watcher, 'SHOW PROCESSLIST');
      return (rows as { Id: number }[]).filter(({ Id }) => threads.includes(Id)).length;
    }

    /** A thousand million rows, of which the first come at once. */
    const endless = 'SELECT a.n FROM numbers a, numbers b, numbers c';
    const endlessCount =
      'SELECT COUNT(*) FROM numbers a, numbers b, numbers c WHERE a.n + b.n + c.n <> 5';

    beforeAll(async () => {
      const session = await open();
      await run(session, `DROP DATABASE IF EXISTS ${home}`);
      await run(session, `CREATE DATABASE ${home}`);
      await run(session, `USE ${home}`);
      await run(session, 'CREATE TABLE parent (id INT PRIMARY KEY) ENGINE=InnoDB');
      await run(
        session,
        `CREATE TABLE child (
          id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
          parent INT,
          name VARCHAR(5),
          must INT NOT NULL DEFAULT 1,
          small TINYINT,
          CONSTRAINT child_name UNIQUE (name),
          CONSTRAINT child_parent FOREIGN KEY (parent) REFERENCES parent (id),
          CONSTRAINT child_positive CHECK (must > 0)
        ) ENGINE=InnoDB`,
      );
      await run(session, 'INSERT INTO parent VALUES (1), (2)');
      await run(session, 'CREATE TABLE numbers (n INT PRIMARY KEY)');
      const thousand = Array.from({ length: 1_000 }, (_, n) => `(${n})`).join();
      await run(session, `INSERT INTO numbers VALUES ${thousand}`);
      await run(session, "INSERT INTO child (parent, name) VALUES (1, 'taken')");
      await session.close();
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((session) => session.close()));
      losses.length = 0;
    });

    afterAll(async () => {
      const session = await open();
      await run(session, `DROP DATABASE IF EXISTS ${home}`);
      await session.close();
    });

    test('the flavor and the version come from the greeting', async () => {
      const session = await open();
      const told = await session.version!();
      expect(told).toMatchObject({ flavor: name, driver: 'mysql2' });
      expect(version).toContain(told.serverVersion);
    });

    describe('faults provoked on the server', () => {
      test.each<[string, string, Partial<Fault>]>([
        [
          'a duplicate',
          "INSERT INTO child (name) VALUES ('taken')",
          { kind: 'unique', constraint: 'child_name', code: '1062' },
        ],
        [
          'a missing parent',
          'INSERT INTO child (parent) VALUES (9)',
          { kind: 'foreignKey', constraint: 'child_parent', table: 'child', code: '1452' },
        ],
        [
          'a parent in use',
          'DELETE FROM parent WHERE id = 1',
          { kind: 'foreignKey', constraint: 'child_parent', code: '1451' },
        ],
        [
          'a NULL',
          'INSERT INTO child (must) VALUES (NULL)',
          { kind: 'notNull', column: 'must', code: '1048' },
        ],
        [
          'a check',
          'INSERT INTO child (must) VALUES (-1)',
          { kind: 'check', constraint: 'child_positive', code: isMariadb ? '4025' : '3819' },
        ],
        ['nonsense', 'SELEKT 1', { kind: 'syntax', code: '1064' }],
        ['two statements', 'SELECT 1; SELECT 2', { kind: 'syntax', code: '1064' }],
        ['an unknown table', 'SELECT * FROM nope', { kind: 'schema', table: 'nope', code: '1146' }],
        [
          'an unknown column',
          'SELECT nope FROM child',
          { kind: 'schema', column: 'nope', code: '1054' },
        ],
        ['a lost savepoint', 'ROLLBACK TO SAVEPOINT nope', { kind: 'usage', code: '1305' }],
        [
          'a long text',
          "INSERT INTO child (name) VALUES ('much too long')",
          { kind: 'data', column: 'name', code: '1406' },
        ],
        [
          'a big number',
          'INSERT INTO child (small) VALUES (1000)',
          { kind: 'data', column: 'small', code: '1264' },
        ],
        [
          'a text for a number',
          "INSERT INTO child (small) VALUES ('x')",
          { kind: 'data', column: 'small', code: '1366' },
        ],
        [
          'a raised error',
          "SIGNAL SQLSTATE '45000'",
          { kind: 'unknown', applied: 'no', code: '1644' },
        ],
        [
          'a file of the client',
          "LOAD DATA LOCAL INFILE '/etc/hosts' INTO TABLE parent",
          { kind: 'usage' },
        ],
      ])('%s', async (_what, text, fault) => {
        const session = await use();
        expect((await outcome(session, text)).fault).toMatchObject({ applied: 'no', ...fault });
        // An error of the server leaves the session usable.
        expect(await value(session, 'SELECT 7')).toBe(7);
      });

      test.each([
        ['SELECT ? AS a', [1, 2]],
        ['SELECT ? AS a, ? AS b', [1]],
        ['SELECT 1', [1]],
        ['LOCK TABLES child READ', [1]],
      ])('"%s" with %o is refused', async (text, values) => {
        const session = await use();
        // Twice: the second time the statement is prepared already.
        for (const _ of [1, 2]) {
          expect((await outcome(session, text, ...values)).fault).toMatchObject({
            kind: 'usage',
            applied: 'no',
          });
        }
        expect(await value(session, 'SELECT ?', 1)).toBe(1);
      });

      test('a wait for a lock ends, and the transaction stays open', async () => {
        const [holder, waiter] = [await use(), await use()];
        await run(holder, 'START TRANSACTION');
        await run(holder, 'SELECT * FROM parent WHERE id = 1 FOR UPDATE');
        await run(waiter, 'SET innodb_lock_wait_timeout = 1');
        await run(waiter, 'START TRANSACTION');
        const { fault } = await outcome(
          waiter,
          'SELECT * FROM parent WHERE id = 1 FOR UPDATE NOWAIT',
        );
        expect(fault).toMatchObject({ kind: 'lockTimeout', transaction: 'open' });
        const slow = await outcome(waiter, 'UPDATE parent SET id = 1 WHERE id = 1');
        expect(slow.fault).toMatchObject({
          kind: 'lockTimeout',
          transaction: 'open',
          code: '1205',
        });
        expect(waiter.status!()).toBe('transaction');
      });

      test('a deadlock ends the transaction, and the status says so', async () => {
        const [one, two] = [await use(), await use()];
        for (const session of [one, two]) await run(session, 'START TRANSACTION');
        await run(one, 'SELECT * FROM parent WHERE id = 1 FOR UPDATE');
        await run(two, 'SELECT * FROM parent WHERE id = 2 FOR UPDATE');
        const outcomes = await Promise.all([
          outcome(one, 'SELECT * FROM parent WHERE id = 2 FOR UPDATE').then((result) => ({
            session: one,
            result,
          })),
          outcome(two, 'SELECT * FROM parent WHERE id = 1 FOR UPDATE').then((result) => ({
            session: two,
            result,
          })),
        ]);
        const victims = outcomes.filter(({ result }) => result.fault !== undefined);
        expect(victims).toHaveLength(1);
        expect(victims[0]!.result.fault).toMatchObject({
          kind: 'deadlock',
          applied: 'no',
          transaction: 'gone',
        });
        expect(victims[0]!.session.status!()).toBe('idle');
      });

      test.runIf(isMariadb)('a changed snapshot ends the transaction (MariaDB)', async () => {
        const [one, two] = [await use(), await use()];
        await run(one, 'SET innodb_snapshot_isolation = ON');
        await run(one, 'START TRANSACTION');
        await run(one, 'SELECT * FROM child');
        await run(two, "UPDATE child SET small = COALESCE(small, 0) + 1 WHERE name = 'taken'");
        const { fault } = await outcome(one, "UPDATE child SET small = 5 WHERE name = 'taken'");
        expect(fault).toMatchObject({ kind: 'serialization', transaction: 'gone', code: '1020' });
        expect(one.status!()).toBe('idle');
      });

      test('a limit of the server on a statement is told from a cancel', async () => {
        const session = await use();
        await run(
          session,
          isMariadb ? 'SET max_statement_time = 0.05' : 'SET max_execution_time = 50',
        );
        const { fault } = await outcome(session, endlessCount);
        expect(fault).toMatchObject({
          kind: 'statementTimeout',
          applied: 'no',
          code: isMariadb ? '1969' : '3024',
        });
      });

      test('a session opened with readOnly refuses to write', async () => {
        const session = await use({ readOnly: true });
        const write = 'INSERT INTO parent VALUES (3)';
        expect((await outcome(session, write)).fault).toMatchObject({
          kind: 'readOnly',
          code: '1792',
        });
        await session.reset!();
        expect((await outcome(session, write)).fault?.kind).toBe('readOnly');
      });

      test('a wrong password, an unknown database and an unknown host', async () => {
        expect(await faultOf(open({ password: 'wrong' }))).toMatchObject({
          kind: 'authentication',
          applied: 'no',
        });
        expect(await faultOf(open({ database: 'dal_none' }))).toMatchObject({
          kind: 'schema',
          applied: 'no',
        });
        expect(await faultOf(open({ host: 'none.invalid' }))).toMatchObject({
          kind: 'connection',
          applied: 'no',
        });
        expect(losses).toEqual([]);
      });
    });

    describe('values', () => {
      test('LIMIT and OFFSET take integers', async () => {
        const session = await use();
        expect(
          (await run(session, 'SELECT id FROM parent ORDER BY id LIMIT ? OFFSET ?', 1, 1)).rows,
        ).toEqual([{ id: 2 }]);
      });

      test('values never become text: backslashes, quotes and comments arrive unchanged', async () => {
        const session = await use();
        const hostile = `\\' OR 1=1 -- ' " \u0000 \u{1F600} ?`;
        await run(session, "SET sql_mode = 'NO_BACKSLASH_ESCAPES'");
        expect(await value(session, 'SELECT ?', hostile)).toBe(hostile);
        expect(await value(session, 'SELECT /* ? */ CAST(? AS CHAR)', 'x')).toBe('x');
      });

      test('both protocols give the same values', async () => {
        const session = await use();
        await run(
          session,
          `CREATE TEMPORARY TABLE kinds (id INT, flag BOOLEAN, big BIGINT, ubig BIGINT UNSIGNED, f FLOAT,
             d DOUBLE, exact DECIMAL(40,10), day DATE, clock TIME(3), stamp DATETIME(6), zoned TIMESTAMP(6) NULL,
             doc JSON, bytes VARBINARY(8), bits BIT(1), word ENUM('a','b'), words SET('a','b'), born YEAR, note TEXT)`,
        );
        await run(
          session,
          `INSERT INTO kinds VALUES (1, TRUE, 9007199254740993, 18446744073709551615, 0.1, 0.1,
             123456789012345678901234567890.0123456789, '1850-02-03', '01:02:03.5', '2024-02-29 23:59:59.999999',
             '2024-02-29 23:59:59.5', '{"a": [1, 2]}', x'00FF', b'1', 'b', 'a,b', 2024, 'häß\u{1F600}'),
             (2, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
        );
        const text = (await run(session, 'SELECT * FROM kinds ORDER BY id')).rows;
        const binary = (await run(session, 'SELECT * FROM kinds WHERE id > ? ORDER BY id', 0)).rows;
        expect(text[0]).toEqual({
          id: 1,
          flag: true,
          big: 9_007_199_254_740_993n,
          ubig: 18_446_744_073_709_551_615n,
          f: 0.1,
          d: 0.1,
          exact: '123456789012345678901234567890.0123456789',
          day: '1850-02-03',
          clock: '01:02:03.500',
          stamp: new Date('2024-02-29T23:59:59.999Z'),
          zoned: new Date('2024-02-29T23:59:59.500Z'),
          doc: { a: [1, 2] },
          bytes: Buffer.from([0, 255]),
          bits: Buffer.from([1]),
          word: 'b',
          words: 'a,b',
          born: 2024,
          note: 'häß\u{1F600}',
        });
        expect(text[1]).toMatchObject({
          flag: false,
          big: null,
          doc: null,
          stamp: null,
          note: null,
        });
        expect(binary).toEqual(text);
      });

      test('the options for values', async () => {
        const session = await use({
          integers: 'text',
          decimals: 'number',
          timestamps: 'text',
          json: 'text',
        });
        await run(
          session,
          'CREATE TEMPORARY TABLE one (i INT, n DECIMAL(5,2), t DATETIME(6), j JSON)',
        );
        await run(session, "INSERT INTO one VALUES (1, 1.5, '2024-01-02 03:04:05.100000', '[1]')");
        const expected = [{ i: '1', n: 1.5, t: '2024-01-02 03:04:05.100000', j: '[1]' }];
        expect((await run(session, 'SELECT * FROM one')).rows).toEqual(expected);
        expect((await run(session, 'SELECT * FROM one WHERE i = ?', 1)).rows).toEqual(expected);
      });

      test('a Date is written as UTC with milliseconds', async () => {
        const session = await use();
        await run(session, 'CREATE TEMPORARY TABLE moments (d DATETIME(6), t TIMESTAMP(6) NULL)');
        const moment = new Date('2024-07-01T22:33:44.567Z');
        await run(session, 'INSERT INTO moments VALUES (?, ?)', moment, moment);
        expect(await value(session, 'SELECT CAST(d AS CHAR) FROM moments')).toBe(
          '2024-07-01 22:33:44.567000',
        );
        expect((await run(session, 'SELECT * FROM moments WHERE t = ?', moment)).rows).toEqual([
          { d: moment, t: moment },
        ]);
      });

      test('an id beyond 2^53 is exact', async () => {
        const session = await use();
        await run(
          session,
          'CREATE TEMPORARY TABLE ids (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY)',
        );
        await run(session, 'ALTER TABLE ids AUTO_INCREMENT = 9007199254740993');
        expect((await run(session, 'INSERT INTO ids VALUES (NULL)')).insertId).toBe(
          9_007_199_254_740_993n,
        );
        expect((await run(session, 'INSERT INTO ids VALUES (?)', null)).insertId).toBe(
          9_007_199_254_740_994n,
        );
      });

      test('affected rows are those that matched', async () => {
        const session = await use();
        expect((await run(session, 'UPDATE parent SET id = id WHERE id = ?', 1)).affectedRows).toBe(
          1,
        );
        expect((await run(session, 'SELECT 1')).affectedRows).toBe(0);
      });

      test('a procedure gives its rows', async () => {
        const session = await use();
        await run(session, 'CREATE PROCEDURE twice(n BIGINT) SELECT n * 2 AS n, TRUE AS b');
        expect((await run(session, 'CALL twice(21)')).rows).toMatchObject([{ n: 42 }]);
        expect((await run(session, 'CALL twice(?)', 21)).rows).toMatchObject([{ n: 42 }]);
        expect(await value(session, 'SELECT 1')).toBe(1);
      });
    });

    describe('the session', () => {
      test('the status is what the protocol says, whoever spoke the words', async () => {
        const session = await use();
        expect(session.status!()).toBe('idle');
        await run(session, 'START TRANSACTION');
        expect(session.status!()).toBe('transaction');
        await run(session, 'SELECT 1');
        await run(session, 'SELECT ?', 1);
        expect(session.status!()).toBe('transaction');
        await outcome(session, 'SELECT * FROM nope');
        expect(session.status!()).toBe('transaction');
        // DDL commits without a word.
        await run(session, 'CREATE TABLE IF NOT EXISTS made_meanwhile (id INT)');
        expect(session.status!()).toBe('idle');
        await run(session, 'SET autocommit = 0');
        await run(session, 'SELECT * FROM parent');
        expect(session.status!()).toBe('transaction');
      });

      test('a reset forgets what was set, and keeps the session in UTC and utf8mb4', async () => {
        const session = await use();
        const text =
          "SELECT @mine AS mine, @@time_zone AS zone, @@character_set_client AS chars, 'ä\u{1F600}' AS word";
        await run(session, "SET @mine = 1, time_zone = '+05:00'");
        await run(session, 'SELECT ?', 1);
        await run(session, 'START TRANSACTION');
        await session.reset!();
        expect((await run(session, text)).rows).toEqual([
          { mine: null, zone: '+00:00', chars: 'utf8mb4', word: 'ä\u{1F600}' },
        ]);
        expect(session.status!()).toBe('idle');
        expect(await value(session, 'SELECT ?', 1)).toBe(1);
      });

      test('named statements stay prepared up to the limit, the least used one is closed', async () => {
        const session = await use({ preparedStatements: 5 });
        const named = async (n: number) => {
          const text = `SELECT CONCAT(?, '${n}') AS word`;
          const { rows } = await session.query({ text, values: ['n'], name: `n${n}` });
          expect(rows).toEqual([{ word: `n${n}` }]);
        };
        for (let n = 0; n < 12; n++) await named(n);
        expect(await statusOf(session, 'Com_stmt_close')).toBe(7);
        expect(session.statements!()).toEqual({
          size: 5,
          capacity: 5,
          hits: 0,
          misses: 12,
          evictions: 7,
        });
        await named(11);
        expect(session.statements!()).toMatchObject({ hits: 1, misses: 12 });
        expect(await statusOf(session, 'Com_stmt_prepare')).toBe(12);
      });

      test('a statement without a name is closed as soon as it has run', async () => {
        const session = await use();
        for (let n = 0; n < 3; n++) await run(session, 'SELECT ?', `${n}`);
        expect(await statusOf(session, 'Com_stmt_prepare')).toBe(3);
        expect(await statusOf(session, 'Com_stmt_close')).toBe(3);
        await outcome(session, 'SELECT ? FROM nope', 'x');
        await outcome(session, 'SELECT (SELECT n FROM numbers WHERE ? IS NOT NULL)', 'x');
        expect(await statusOf(session, 'Com_stmt_close')).toBe(4);
        expect(session.statements!().size).toBe(0);
      });

      test('a reset closes what was prepared, and it is prepared anew', async () => {
        const session = await use();
        const named = () => session.query({ text: 'SELECT ? AS a', values: [1], name: 'a' });
        await named();
        await session.reset!();
        expect(session.statements!().size).toBe(0);
        expect((await named()).rows).toEqual([{ a: 1 }]);
        expect(session.statements!()).toMatchObject({ size: 1, misses: 2 });
      });

      test('a session that speaks another character set sends no values', async () => {
        const session = await use();
        await run(session, 'SET NAMES latin1');
        expect((await outcome(session, 'SELECT ?', 'ä')).fault).toMatchObject({ kind: 'usage' });
        await session.reset!();
        expect(await value(session, 'SELECT ?', 'ä')).toBe('ä');
      });

      test('a table that changes its shape gives the new shape', async () => {
        const [session, other] = [await use(), await use()];
        await run(session, 'CREATE TABLE shape (id INT)');
        await run(session, 'INSERT INTO shape VALUES (1)');
        expect((await run(session, 'SELECT * FROM shape WHERE id = ?', 1)).rows).toEqual([
          { id: 1 },
        ]);
        await run(other, 'ALTER TABLE shape ADD more BIGINT DEFAULT 9007199254740993');
        expect((await run(session, 'SELECT * FROM shape WHERE id = ?', 1)).rows).toEqual([
          { id: 1, more: 9_007_199_254_740_993n },
        ]);
      });
    });

    describe('stopping', () => {
      test('a cancel stops the statement, and never the next one', async () => {
        const session = await use();
        for (let round = 0; round < 10; round++) {
          const running = outcome(session, endlessCount);
          await new Promise((resolve) => setTimeout(resolve, round * 5));
          await session.cancel!();
          expect((await running).fault).toMatchObject({ kind: 'cancelled', applied: 'no' });
          expect(await value(session, 'SELECT SLEEP(0.005)')).toBe(0);
        }
      });

      test('a cancel of nothing harms nobody, and leaves no session behind', async () => {
        const [session, watcher] = [await use(), await use()];
        const count = async () => (await run(watcher, 'SHOW PROCESSLIST')).rows.length;
        const before = await count();
        await session.cancel!();
        expect(await value(session, 'SELECT 1')).toBe(1);
        await eventually(async () => (await count()) <= before);
        expect(losses).toEqual([]);
      });

      test('destroy ends a busy session at once, and does not call it lost', async () => {
        const session = await use();
        const running = faultOf(run(session, 'SELECT SLEEP(20)'));
        await new Promise((resolve) => setTimeout(resolve, 20));
        const since = performance.now();
        session.destroy!();
        expect(await faultOf(run(session, 'SELECT 1'))).toMatchObject({
          connectionLost: true,
          applied: 'no',
        });
        expect(await running).toMatchObject({ connectionLost: true, applied: 'unknown' });
        expect(performance.now() - since).toBeLessThan(500);
        expect(losses).toEqual([]);
      });

      test.each(['idle', 'busy', 'transaction'])(
        'a session killed while %s is lost once',
        async (state) => {
          const [session, admin] = [await use(), await use()];
          if (state === 'transaction') await run(session, 'START TRANSACTION');
          const running = state === 'busy' ? faultOf(run(session, 'SELECT SLEEP(20)')) : undefined;
          await new Promise((resolve) => setTimeout(resolve, 20));
          await run(admin, `KILL ${threadOf(session)}`);
          await eventually(async () => losses.length > 0);
          // Who waits for an answer is told as well.
          expect((await running) ?? { connectionLost: true, applied: 'unknown' }).toMatchObject({
            connectionLost: true,
            applied: 'unknown',
          });
          expect(losses).toHaveLength(1);
          expect(mysqlDriver.classify(losses[0])).toMatchObject({ connectionLost: true });
          expect(await faultOf(run(session, 'SELECT 1'))).toMatchObject({
            connectionLost: true,
            applied: 'no',
          });
          expect(await faultOf(run(session, 'SELECT ?', 1))).toMatchObject({ applied: 'no' });
          expect(await faultOf(session.ping!())).toMatchObject({ connectionLost: true });
          expect(losses).toHaveLength(1);
        },
      );

      test('close says goodbye, twice if asked', async () => {
        const [session, watcher] = [await use(), await use()];
        const thread = threadOf(session);
        await Promise.all([session.close(), session.close()]);
        await eventually(async () => (await sessionsOnServer(watcher, [thread])) === 0);
        expect(losses).toEqual([]);
      });

      test('close of a busy session is bounded', async () => {
        const session = await use();
        const running = faultOf(run(session, 'SELECT SLEEP(20)'));
        const since = performance.now();
        await session.close();
        expect(performance.now() - since).toBeLessThan(4_000);
        expect(await running).toMatchObject({ connectionLost: true });
      });
    });

    describe('streams', () => {
      const stream = (session: Session, text: string, values: unknown[] = [], size = 100) =>
        session.stream!({ text, values }, size);

      test('rows come in batches, in both protocols, and the last one is smaller', async () => {
        const session = await use();
        for (const values of [[], [1]]) {
          const sizes: number[] = [];
          const text = `SELECT n FROM numbers WHERE 1 = ${values.length > 0 ? '?' : '1'} LIMIT 250`;
          for await (const rows of stream(session, text, values)) sizes.push(rows.length);
          expect(sizes).toEqual([100, 100, 50]);
        }
      });

      test('no rows are no batches', async () => {
        const session = await use();
        for await (const rows of stream(session, 'SELECT * FROM parent WHERE id = ?', [-1])) {
          expect(rows).toBe('never');
        }
        expect(await value(session, 'SELECT 1')).toBe(1);
      });

      test('an early leave stops the statement and frees the session', async () => {
        const session = await use();
        for await (const rows of stream(session, endless)) {
          expect(rows).toHaveLength(100);
          break;
        }
        expect(await value(session, 'SELECT 1')).toBe(1);
        expect(losses).toEqual([]);
      });

      test('a caller that does not read holds two batches at most', async () => {
        const session = await use();
        let seen = 0;
        const before = process.memoryUsage().rss;
        for await (const rows of stream(session, endless, [], 1_000)) {
          seen += rows.length;
          await new Promise((resolve) => setTimeout(resolve, 20));
          if (seen >= 20_000) break;
        }
        expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
      });

      test('an error before or between rows reaches the caller, and the session goes on', async () => {
        const session = await use();
        const read = async (text: string, values: unknown[]) => {
          for await (const rows of stream(session, text, values)) expect(rows).toBeDefined();
        };
        expect(await faultOf(read('SELECT * FROM nope WHERE id = ?', [1]))).toMatchObject({
          kind: 'schema',
        });
        expect(await faultOf(read('SELECT * FROM nope', []))).toMatchObject({ kind: 'schema' });
        expect(
          await faultOf(read('SELECT id, (SELECT 1 UNION SELECT 2) FROM parent', [])),
        ).toMatchObject({
          kind: 'unknown',
          applied: 'no',
          code: '1242',
        });
        expect(await value(session, 'SELECT 1')).toBe(1);
      });

      test('a session that dies under a stream ends it with an error', async () => {
        const [session, admin] = [await use(), await use()];
        const read = async () => {
          let isFirst = true;
          for await (const rows of stream(session, endless)) {
            expect(rows.length).toBeGreaterThan(0);
            if (isFirst) await run(admin, `KILL ${threadOf(session)}`);
            isFirst = false;
          }
        };
        expect(await faultOf(read())).toMatchObject({ connectionLost: true });
      });
    });

    describe('connecting', () => {
      let silent: TcpServer | undefined;
      afterEach(() => silent?.close());

      async function listen(
        onSocket: (end: (bytes?: string) => void) => void,
      ): Promise<{ readonly port: number; readonly open: () => number }> {
        let sockets = 0;
        silent = createServer((socket) => {
          sockets++;
          socket.on('close', () => sockets--);
          socket.on('error', () => undefined);
          socket.resume();
          onSocket((bytes = '') => socket.end(bytes));
        });
        const listening = silent;
        await new Promise<void>((resolve) => {
          listening.listen({ port: 0, host: '127.0.0.1' }, () => resolve());
        });
        const address = listening.address();
        if (address === null || typeof address === 'string') throw new Error('No port.');
        return { port: address.port, open: () => sockets };
      }

      test('a server that says nothing is given up in time, and no socket stays', async () => {
        const { port, open: openSockets } = await listen(() => undefined);
        const since = performance.now();
        const fault = await faultOf(open({ port, connectTimeoutMs: 200 }));
        expect(fault).toMatchObject({ kind: 'connection', applied: 'no', code: 'ETIMEDOUT' });
        expect(performance.now() - since).toBeLessThan(600);
        await eventually(async () => openSockets() === 0);
        expect(losses).toEqual([]);
      });

      test.each([
        ['hangs up', undefined],
        ['speaks something else', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
        ['speaks nonsense', '\u0005\u0000\u0000\u0000\u000aabcd'],
      ])('a server that %s is an error of the connection', async (_what, bytes) => {
        const { port, open: openSockets } = await listen((end) => end(bytes));
        const fault = await faultOf(open({ port, connectTimeoutMs: 2_000 }));
        expect(fault).toMatchObject({ kind: 'connection', applied: 'no' });
        await eventually(async () => openSockets() === 0);
      });

      test('a password function is awaited at every connect, and bounded', async () => {
        let asked = 0;
        const password = async () => {
          asked++;
          return decodeURIComponent(new URL(url).password);
        };
        await use({ password });
        await use({ password });
        expect(asked).toBe(2);
        const never = faultOf(
          open({ password: () => new Promise(() => undefined), connectTimeoutMs: 100 }),
        );
        expect(await never).toMatchObject({ kind: 'connection', code: 'ETIMEDOUT' });
      });
    });
  },
);

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    return mysqlDriver.classify(error);
  }
  throw new Error('Nothing failed.');
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  const endsAt = performance.now() + 5_000;
  while (!(await check())) {
    if (performance.now() > endsAt) throw new Error('It did not happen within 5 s.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
