import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { expect, test } from 'vitest';
import {
  attributeNames,
  callMetrics,
  metricNames,
  ownAttributes,
  ownMetrics,
  poolLevels,
  poolMetrics,
  OTHER_ERROR,
  states,
} from './names.ts';

const published = Object.entries(conventions as unknown as Record<string, unknown>);

/** The names of the published package whose constants begin like this. */
function namesOf(prefix: string): unknown[] {
  return published.filter(([key]) => key.startsWith(prefix)).map(([, name]) => name);
}

test('every metric of database clients is there, and no other', () => {
  const ours = [callMetrics, poolMetrics, poolLevels].flatMap((group) =>
    Object.values(group).map(({ name }) => name),
  );
  const theirs = namesOf('METRIC_DB_CLIENT_').filter(
    (name) =>
      // Deprecated, and of one product.
      !String(name).startsWith('db.client.connections.') &&
      !String(name).includes('cosmosdb') &&
      name !== 'db.client.connection.max',
  );
  expect(ours).toHaveLength(11);
  expect(new Set(ours)).toEqual(new Set(theirs));
});

test('every attribute has its published name', () => {
  const theirs = namesOf('ATTR_');
  for (const name of Object.values(attributeNames)) expect(theirs).toContain(name);
});

test('values have their published names', () => {
  expect(Object.values(states)).toEqual(namesOf('DB_CLIENT_CONNECTION_STATE_VALUE_'));
  expect(OTHER_ERROR).toBe(conventions.ERROR_TYPE_VALUE_OTHER);
  for (const system of ['postgresql', 'mysql', 'mariadb', 'sqlite']) {
    expect(namesOf('DB_SYSTEM_NAME_VALUE_')).toContain(system);
  }
});

test("names of our own can't meet those of the conventions", () => {
  const own = [
    ...Object.values(ownMetrics).map(({ name }) => name),
    ...Object.values(ownAttributes),
  ];
  for (const name of own) expect(name).toMatch(/^dal\./);
});

test('no name twice', () => {
  expect(new Set(metricNames).size).toBe(metricNames.length);
});
