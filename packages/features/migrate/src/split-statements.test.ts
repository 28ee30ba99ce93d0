import type { Dialect } from '@dal/core';
import { driver as mysql } from '@dal/mysql';
import { driver as postgres } from '@dal/postgres';
import { driver as sqlite } from '@dal/sqlite';
import { describe, expect, test } from 'vitest';
import { splitStatements } from './split-statements.ts';

function split(text: string, { dialect }: { dialect: Dialect }): string[] {
  return splitStatements(text, dialect)
    .flat()
    .map((statement) => statement.text);
}

describe('on every engine', () => {
  test.each([mysql, postgres, sqlite])('$name: what is text is not code', (driver) => {
    const text = `-- one; two
INSERT INTO t VALUES ('a;b', 'it''s; fine') /* ; */ ; ;
/* ; */
SELECT 1 -- ;
  , 2;  -- the end;
`;
    expect(split(text, driver)).toEqual([
      "INSERT INTO t VALUES ('a;b', 'it''s; fine')",
      'SELECT 1 -- ;\n  , 2',
    ]);
  });

  test.each([mysql, postgres, sqlite])(
    '$name: lines and labels lead back to the file',
    (driver) => {
      const [first, second] = splitStatements(
        "\n-- why\nCREATE TABLE shop.orders (id INT);\n\nUPDATE users SET name = 'secret' WHERE id = 1",
        driver.dialect,
      ).flat();
      expect(first).toMatchObject({
        line: 3,
        label: 'CREATE TABLE shop.orders',
        words: ['CREATE', 'TABLE'],
      });
      expect(second).toMatchObject({ line: 5, label: 'UPDATE users SET name' });
    },
  );

  test.each([mysql, sqlite])('$name: the body of a trigger is part of it', (driver) => {
    const trigger = `CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW BEGIN
  UPDATE log SET n = CASE WHEN n > 1 THEN 2 ELSE 3 END;
  INSERT INTO log (begin, n) VALUES (NEW.begin, NEW.end);
END`.replace('(begin, n)', '(b, n)');
    expect(split(`${trigger};\nSELECT 1;`, driver)).toEqual([trigger, 'SELECT 1']);
  });

  test.each([mysql, sqlite])('$name: columns may be called like the words of bodies', (driver) => {
    const table = 'CREATE TABLE event_log (event TEXT, begin TEXT, function TEXT)';
    expect(split(`${table};BEGIN;COMMIT;`, driver)).toEqual([table, 'BEGIN', 'COMMIT']);
  });

  test.each([mysql, sqlite])('$name: a body that is never closed is told of', (driver) => {
    const text = 'SELECT 1;\nCREATE TRIGGER t AFTER INSERT ON a BEGIN\n SELECT 1;\n';
    expect(() => split(text, driver)).toThrow(/BEGIN \.\.\. END.*DELIMITER/);
  });
});

describe('mysql', () => {
  test('DELIMITER, as its own client understands it', () => {
    const text = `DELIMITER $$
CREATE PROCEDURE p() BEGIN SELECT 1; SELECT '$$'; END$$
create procedure q() begin select 2; end $$
DELIMITER ;
CALL p();
delimiter //\r
SELECT 3; //
`;
    expect(split(text, mysql)).toEqual([
      "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT '$$'; END",
      'create procedure q() begin select 2; end',
      'CALL p()',
      'SELECT 3;',
    ]);
  });

  test('without DELIMITER bodies are followed by their words', () => {
    const body = `CREATE DEFINER=\`root\`@\`%\` PROCEDURE p(IN a INT)
BEGIN
  DECLARE i INT DEFAULT 0;
  WHILE i < a DO
    IF i = 1 THEN SET i = i + 2; ELSE SET i = i + 1; END IF;
    CASE i WHEN 1 THEN BEGIN SELECT 1; END; ELSE SELECT 2; END CASE;
  END WHILE;
  l: LOOP LEAVE l; END LOOP l;
END`;
    expect(split(`${body};\nDROP PROCEDURE p`, mysql)).toEqual([body, 'DROP PROCEDURE p']);
  });

  test('hash comments, backslashes, comments that are code, and BEGIN NOT ATOMIC', () => {
    expect(split("# a; b\nSELECT 'a\\';b';/*!40101 SET NAMES utf8 */;", mysql)).toEqual([
      "SELECT 'a\\';b'",
      '/*!40101 SET NAMES utf8 */',
    ]);
    const compound = 'BEGIN NOT ATOMIC SELECT 1; SELECT 2; END';
    expect(split(`${compound}; SELECT 3`, mysql)).toEqual([compound, 'SELECT 3']);
  });
});

describe('postgres', () => {
  test('dollar quotes, nested comments, escape strings', () => {
    const fn = `CREATE FUNCTION f() RETURNS int AS $body$
BEGIN
  PERFORM $q$ ; $q$;
  RETURN 1; -- ;
END $body$ LANGUAGE plpgsql`;
    const text = `${fn};\nDO $$ BEGIN NULL; END $$;\nSELECT E'a\\';b' /* /* ; */ ; */;`;
    expect(split(text, postgres)).toEqual([fn, 'DO $$ BEGIN NULL; END $$', "SELECT E'a\\';b'"]);
  });

  test('BEGIN ATOMIC, and BEGIN as a name', () => {
    const atomic = `CREATE FUNCTION f(a int) RETURNS int
BEGIN ATOMIC
  INSERT INTO t VALUES (a);
  SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END;
END`;
    const named =
      'CREATE FUNCTION g() RETURNS TABLE (begin date) AS $$ SELECT now() $$ LANGUAGE sql';
    expect(split(`${atomic};${named};SELECT 1`, postgres)).toEqual([atomic, named, 'SELECT 1']);
  });
});
