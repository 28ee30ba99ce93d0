import type { Dialect } from '@dal/core';
import { expect, test } from 'vitest';
import { StatementReader } from './statement-facts.ts';

const dialect = { lexis: {} } as Dialect;

test('facts are made once for a text and a kind of call', () => {
  const reader = new StatementReader('sanitized');
  const facts = reader.read('SELECT 1 FROM t', 'statement', dialect);
  expect(reader.read('SELECT 1 FROM t', 'statement', dialect)).toBe(facts);
  expect(facts).toEqual({
    summary: 'SELECT t',
    label: 'SELECT t',
    text: 'SELECT ? FROM t',
    procedure: undefined,
  });
  expect(reader.read('INSERT INTO t VALUES (?)', 'many', dialect).summary).toBe('BATCH INSERT t');
  expect(reader.read('INSERT INTO t (bulk)', 'bulk', dialect).text).toBeUndefined();
  expect(reader.read('CALL refresh(1)', 'statement', dialect).procedure).toBe('refresh');
});

test('the text goes as it is asked for', () => {
  const text = "SELECT 'secret' FROM t";
  expect(new StatementReader('asWritten').read(text, 'statement', dialect).text).toBe(text);
  expect(new StatementReader('off').read(text, 'statement', dialect).text).toBeUndefined();
});

test('however many texts there are, labels are few', () => {
  const reader = new StatementReader('sanitized');
  const labels = new Set<string | undefined>();
  for (let index = 0; index < 5_000; index++) {
    const { summary, label } = reader.read(`SELECT * FROM t_${index}`, 'statement', dialect);
    expect(summary).toBe(`SELECT t_${index}`);
    labels.add(label);
  }
  expect(labels.size).toBe(501);
  expect(labels.has(undefined)).toBe(true);
  // What had one keeps it.
  expect(reader.read('SELECT * FROM t_7', 'statement', dialect).label).toBe('SELECT t_7');
});
