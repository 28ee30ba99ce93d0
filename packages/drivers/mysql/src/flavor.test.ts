import { expect, test } from 'vitest';
import { flavorFromGreeting, versionFromGreeting } from './flavor.ts';

test.each([
  ['9.7.4', 'mysql', '9.7.4'],
  ['8.0.36-0ubuntu0.22.04.1', 'mysql', '8.0.36'],
  ['5.7.44-log', 'mysql', '5.7.44'],
  ['5.5.5-10.11.19-MariaDB-log', 'mariadb', '10.11.19'],
  ['11.8.9-MariaDB', 'mariadb', '11.8.9'],
  ['5.5.5-10.6.1-mariadb-enterprise', 'mariadb', '10.6.1'],
  ['5.5.5', 'mysql', '5.5.5'],
  ['', 'mysql', ''],
])('the greeting "%s" is %s %s', (greeting, flavor, version) => {
  expect(flavorFromGreeting(greeting)).toBe(flavor);
  expect(versionFromGreeting(greeting)).toBe(version);
});
