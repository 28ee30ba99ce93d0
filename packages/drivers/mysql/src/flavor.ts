/** MySQL and MariaDB share a protocol, and disagree about error numbers and some types. */
export type Flavor = 'mysql' | 'mariadb';

/** Told from the version in the server's greeting; MariaDB always names itself there. */
export function flavorFromGreeting(greeting: string): Flavor {
  return /mariadb/i.test(greeting) ? 'mariadb' : 'mysql';
}

/** The plain version: `10.11.19` for `5.5.5-10.11.19-MariaDB-log`, `9.7.4` for `9.7.4`. */
export function versionFromGreeting(greeting: string): string {
  // Up to 10.x MariaDB claims to be 5.5.5 first, for the sake of old replicas.
  const plain = greeting.replace(/^5\.5\.5-(?=\d+\.\d+\.\d+-mariadb)/i, '');
  return /^\d+(?:\.\d+)*/.exec(plain)?.[0] ?? greeting;
}
