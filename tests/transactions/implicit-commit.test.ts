import { type Database, isDalError } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

// What the manuals say commits, asked of the servers themselves.
const both = [
  'CREATE TABLE implicit_new (id INT)',
  'CREATE TABLE IF NOT EXISTS implicit_other (id INT)',
  'create table implicit_new like implicit_other',
  '/* a note */ CREATE TABLE implicit_new (id INT)',
  '-- a note\nCREATE TABLE implicit_new (id INT)',
  '# CREATE TEMPORARY TABLE\nCREATE TABLE implicit_new (id INT)',
  '/*!50000 CREATE TABLE implicit_new (id INT) */',
  'CREATE TEMPORARY TABLE implicit_mine (id INT)',
  'CREATE  TEMPORARY  TABLE implicit_mine AS SELECT 1 AS id',
  'CREATE INDEX implicit_index ON implicit_other (id)',
  'CREATE VIEW implicit_view AS SELECT 1 AS id',
  'CREATE OR REPLACE VIEW implicit_view AS SELECT 2 AS id',
  'DROP VIEW IF EXISTS implicit_view',
  'DROP TABLE IF EXISTS implicit_nobody',
  'DROP TEMPORARY TABLE IF EXISTS implicit_nobody',
  'ALTER TABLE implicit_other ADD COLUMN extra INT',
  'ALTER TABLE implicit_nobody ADD COLUMN extra INT',
  'TRUNCATE TABLE implicit_other',
  'TRUNCATE implicit_other',
  'RENAME TABLE implicit_other TO implicit_new',
  'ANALYZE TABLE implicit_other',
  'ANALYZE NO_WRITE_TO_BINLOG TABLE implicit_other',
  'CHECK TABLE implicit_other',
  'CHECKSUM TABLE implicit_other',
  'OPTIMIZE TABLE implicit_other',
  'REPAIR TABLE implicit_other',
  'LOCK TABLES implicit_other READ',
  'SELECT * FROM implicit_other',
  'SELECT * FROM implicit_other FOR UPDATE',
  "SELECT 'DROP TABLE implicit_other'",
  'INSERT INTO implicit_other VALUES (1)',
  'REPLACE INTO implicit_other VALUES (1)',
  'UPDATE implicit_other SET id = 2',
  'DELETE FROM implicit_other',
  'SET @a = 1',
  'SET SESSION sort_buffer_size = 262144',
  'SHOW TABLES',
  'EXPLAIN SELECT 1',
  'DESCRIBE implicit_other',
  'DO 1',
  'SAVEPOINT implicit_point',
];

describe.each(inject('engines').filter(({ name }) => name === 'mysql' || name === 'mariadb'))(
  '$name',
  ({ name, url }) => {
    const texts =
      name === 'mysql'
        ? [...both, 'TABLE implicit_other', 'LOAD INDEX INTO CACHE implicit_other']
        : [
            ...both,
            'CREATE OR REPLACE TABLE implicit_other (id INT)',
            'CREATE OR REPLACE TEMPORARY TABLE implicit_mine (id INT)',
            'CREATE SEQUENCE implicit_sequence',
            'DROP SEQUENCE IF EXISTS implicit_sequence',
            'ANALYZE SELECT * FROM implicit_other',
          ];
    let db: Database;
    let second: Database;

    beforeAll(async () => {
      db = await createDatabase(url, { pool: { max: 1 } });
      second = await createDatabase(url, { name: 'second', pool: { max: 1 } });
      await second.execute('CREATE TABLE IF NOT EXISTS implicit_rows (id INT)');
    });
    afterAll(async () => {
      await drop();
      await second.execute('DROP TABLE IF EXISTS implicit_rows');
      await Promise.all([db.close(), second.close()]);
    });
    const drop = async (): Promise<void> => {
      for (const table of ['implicit_new', 'implicit_other']) {
        await second.execute(`DROP TABLE IF EXISTS ${table}`);
      }
      await second.execute('DROP VIEW IF EXISTS implicit_view');
      if (name === 'mariadb') await second.execute('DROP SEQUENCE IF EXISTS implicit_sequence');
    };

    test.each(texts)('%s', async (text) => {
      await drop();
      await second.execute('CREATE TABLE implicit_other (id INT)');
      await second.execute('DELETE FROM implicit_rows');
      const told: string[] = [];
      const forget = db.hooks.on('implicitCommit', ({ statement }) => told.push(statement));
      let later: unknown;
      await db
        .transaction(async (tx) => {
          await tx.execute('INSERT INTO implicit_rows VALUES (1)');
          await tx.execute(text).catch(() => undefined);
          later = await tx.query('SELECT 1').catch((error: unknown) => error);
          throw new Error('undone');
        })
        .catch(() => undefined);
      forget();
      const commits = Number(await second.queryValue('SELECT COUNT(*) FROM implicit_rows')) === 1;

      expect(told).toEqual(commits ? [text] : []);
      expect(isDalError(later) && later.code).toBe(commits && 'DAL_TRANSACTION_GONE');
      const strict = await db
        .transaction(
          async (tx) => {
            await tx.execute(text).catch((error: unknown) => {
              if (isDalError(error) && error.code === 'DAL_STRICT_DDL') throw error;
            });
          },
          { strictDdl: true },
        )
        .catch((error: unknown) => error);
      expect(isDalError(strict) && strict.code).toBe(commits && 'DAL_STRICT_DDL');
    });

    test('COMMIT by hand after DDL is fine as long as nothing came after it', async () => {
      await drop();
      await using connection = await db.acquire();
      await connection.begin();
      await connection.execute('CREATE TABLE implicit_other (id INT)');
      await connection.commit();

      await connection.begin();
      await connection.execute('DROP TABLE implicit_other');
      const late = connection.execute('INSERT INTO implicit_rows VALUES (1)');
      await expect(late).rejects.toMatchObject({ code: 'DAL_TRANSACTION_GONE' });
      await expect(connection.commit()).rejects.toMatchObject({ code: 'DAL_TRANSACTION_GONE' });
    });
  },
);
