import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createDatabase, installShutdown } from '@dal/factory';
import { AuditTrail } from './audit-trail.ts';
import { serveDocuments } from './serve-documents.ts';

/** `DATABASE_URL` says where the documents are, `PORT` where the service listens (0: anywhere). */
async function main(): Promise<void> {
  const { DATABASE_URL = 'sqlite:audit-trail.db', PORT = '8080' } = process.env;
  const db = await createDatabase(DATABASE_URL, { name: 'audit-trail' });
  const server = serveDocuments(await AuditTrail.open(db));
  server.listen(Number(PORT), '127.0.0.1');
  await once(server, 'listening');
  // Requests that run may end, then the database is closed, then the program ends.
  installShutdown({
    databases: [db],
    before: () => new Promise((resolve) => server.close(resolve)),
  });
  console.log(`audit-trail listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
