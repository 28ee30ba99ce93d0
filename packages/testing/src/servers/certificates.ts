import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';
import type { ServerTls } from './server.ts';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const SERVER_NAMES = 'subjectAltName=DNS:localhost,IP:127.0.0.1\n';

/**
 * Fills a folder with `ca.crt`, `server.crt` and `server.key`, and answers what a client needs.
 * The client's certificate names the user `dal`. Needs the `openssl` program.
 */
export async function makeCertificates(folder: string): Promise<ServerTls> {
  await mkdir(folder, { recursive: true });
  const openssl = (...args: string[]) => runProgram('openssl', args, { cwd: folder });
  await writeFile(join(folder, 'server.ext'), SERVER_NAMES);
  await writeFile(join(folder, 'client.ext'), 'extendedKeyUsage=clientAuth\n');
  await openssl(
    'req',
    '-new',
    '-x509',
    '-days',
    '3650',
    ...KEY,
    '-subj',
    '/CN=dal-test-ca',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  for (const [name, subject, serial] of [
    ['server', '/CN=localhost', '1'],
    ['client', '/CN=dal', '2'],
  ] as const) {
    await openssl(
      'req',
      '-new',
      ...KEY,
      '-subj',
      subject,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-set_serial',
      serial,
      '-days',
      '3650',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
    );
  }
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'client.crt', 'client.key'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  return { ca: ca!, cert: cert!, key: key! };
}
