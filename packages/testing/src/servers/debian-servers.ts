import { join } from 'node:path';
import { debianPackages } from './debian-packages.ts';

/** MySQL and MariaDB unpacked, with all the libraries that they need, C library included. */
export interface DebianServers {
  /** What `/usr` would be. */
  readonly basedir: { readonly mysql: string; readonly mariadb: string };
  /** Starts a program with these libraries instead of the machine's. */
  command(program: string): string[];
}

/**
 * MySQL and MariaDB of Debian's newest release.
 *
 * @returns the servers, or in words why they cannot be had here
 */
export async function debianServers(): Promise<DebianServers | string> {
  const found = await debianPackages({
    folder: `debian-servers-${process.arch}-1`,
    title: 'MySQL and MariaDB (about 70 MB)',
    packages: ['mysql-server-core', 'mariadb-server-core'],
    // Perl is for scripts around the servers, and nearly half of the rest.
    without: /^(lib)?perl/,
    // The two servers have files of the same name.
    apart: { 'mysql-server-core': 'mysql', 'mariadb-server-core': 'mariadb' },
  });
  if (typeof found === 'string') return found;
  const mysql = join(found.root('mysql'), 'usr');
  return {
    basedir: { mysql, mariadb: join(found.root('mariadb'), 'usr') },
    command: (program) => found.command(program, join(mysql, 'lib', 'mysql', 'private')),
  };
}
