import { expect, test } from 'vitest';
import { mariadbHistory, mysqlHistory } from './gtid-history.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '5a2c8b10-71ca-11e1-9e33-c80aa9429562';

test.each([
  ['the same', `${A}:1-5`, `${A}:1-5`, true],
  ['more of it', `${A}:1-9`, `${A}:1-5`, true],
  ['less of it', `${A}:1-4`, `${A}:1-5`, false],
  ['one is missing in the middle', `${A}:1-3:5-9`, `${A}:1-9`, false],
  ['parts', `${A}:1-9:20-30`, `${A}:2:21-22`, true],
  ['those of another server', `${A}:1-9`, `${A}:1-5,\n${B}:1`, false],
  ['both servers, in capitals', `${B}:1-2,${A}:1-9`.toUpperCase(), `${A}:1-5,\n${B}:1`, true],
  ['each wrote for itself', `${A}:1-9`, `${A}:1-5,${B}:1-2`, false],
  ['tags are counted apart', `${A}:1-9:import:1-2`, `${A}:1-9:import:1-3`, false],
  ['tags that are there', `${A}:1-9:import:1-5:other:1`, `${A}:3:import:1-3`, true],
])('MySQL, %s: %s includes %s', (_, mine, other, includes) => {
  const history = mysqlHistory(other);
  expect(history && mysqlHistory(mine)?.includes(history)).toBe(includes);
});

test.each([
  ['the same', ['0-1-100'], ['0-1-100'], true],
  ['it went on', ['0-1-120'], ['0-1-100'], true],
  ['it is behind', ['0-1-99'], ['0-1-100'], false],
  ['a former primary that never followed', ['0-1-105', '0-1-105'], ['0-2-103'], false],
  ['one that has followed', ['0-2-110', '0-1-100,0-2-110'], ['0-2-103', '0-1-100'], true],
  [
    'one that has followed and writes again, without a log of what it followed',
    ['0-1-130', '0-1-130', '0-2-120'],
    ['0-2-120', '0-2-120'],
    true,
  ],
  ['domains are counted apart', ['0-1-100,1-1-4'], ['0-1-100,1-1-5'], false],
  ['only the newest of the other counts', ['0-1-130'], ['0-1-110', '0-3-50,0-1-110'], true],
])('MariaDB, %s', (_, [mine = '', ...seen], [other = '', ...otherSeen], includes) => {
  const history = mariadbHistory(other, otherSeen);
  expect(history && mariadbHistory(mine, seen)?.includes(history)).toBe(includes);
});

test('who has executed nothing has no history, and histories of different servers do not compare', () => {
  expect(mysqlHistory('')).toBeUndefined();
  expect(mariadbHistory('', ['', ''])).toBeUndefined();
  const mysql = mysqlHistory(`${A}:1`);
  const mariadb = mariadbHistory('0-1-1', []);
  expect(mysql && mariadb?.includes(mysql)).toBe(false);
  expect(mariadb && mysql?.includes(mariadb)).toBe(false);
});
