import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import type { AuditTrail } from './audit-trail.ts';
import { document, documentChange } from './document.ts';
import { read, readAuthor, readBody, readPage, readVersion } from './read-request.ts';
import { refusalFor, RequestError } from './request-error.ts';

interface Call {
  readonly trail: AuditTrail;
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  /** Pieces of the path: the id of a document, then the number of a version. */
  readonly id: string;
  readonly version: string;
}

type Answer = readonly [status: number, body: unknown];

/** `GET /documents/:id`, and so on; the first that fits is taken. */
const routes: readonly (readonly [path: string, handle: (call: Call) => Promise<Answer>])[] = [
  [
    'GET /documents',
    async ({ trail, query }) => {
      const status = read(
        document.shape.status.unwrap().optional(),
        query.get('status') ?? undefined,
        'status',
      );
      return [200, await trail.list(readPage(query), status)];
    },
  ],
  [
    'POST /documents',
    async ({ trail, request }) => {
      const author = readAuthor(request);
      const input = read(document, await readBody(request), 'document');
      return [201, await trail.create(input, author)];
    },
  ],
  ['GET /documents/:id', async ({ trail, id }) => [200, await trail.one(id)]],
  [
    'PATCH /documents/:id',
    async ({ trail, request, id }) => {
      const author = readAuthor(request);
      const change = read(documentChange, await readBody(request), 'change');
      return [200, await trail.update(id, change, author)];
    },
  ],
  [
    'DELETE /documents/:id',
    async ({ trail, request, id }) => [200, await trail.remove(id, readAuthor(request))],
  ],
  [
    'POST /documents/:id/restore',
    async ({ trail, request, id }) => [200, await trail.restore(id, readAuthor(request))],
  ],
  [
    'POST /documents/:id/rollback',
    async ({ trail, request, id }) => {
      const author = readAuthor(request);
      const body = read(
        z.strictObject({ version: z.int().min(1) }),
        await readBody(request),
        'rollback',
      );
      return [200, await trail.rollBack(id, body.version, author)];
    },
  ],
  [
    'GET /documents/:id/versions',
    async ({ trail, query, id }) => [200, await trail.versions(id, readPage(query).limit)],
  ],
  [
    'GET /documents/:id/versions/:version',
    async ({ trail, id, version }) => [200, await trail.version(id, readVersion(version))],
  ],
  [
    'GET /actions',
    async ({ trail, query }) => [
      200,
      await trail.actions(readPage(query), query.get('user') ?? undefined),
    ],
  ],
];

/** The service; it listens to nothing yet. */
export function serveDocuments(trail: AuditTrail): Server {
  const server = createServer((request, response) => {
    void answer(trail, request).then(([status, body]) => {
      // A server that closes waits for its connections, and an idle one would stay for seconds.
      if (!server.listening) response.setHeader('connection', 'close');
      send(response, status, body);
    });
  });
  return server;
}

async function answer(trail: AuditTrail, request: IncomingMessage): Promise<Answer> {
  try {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://service');
    for (const [route, handle] of routes) {
      const parts = match(route, `${request.method} ${pathname}`);
      if (!parts) continue;
      const { id = '', version = '' } = parts;
      return await handle({ trail, request, query, id, version });
    }
    throw new RequestError(404, 'There is nothing here.');
  } catch (error) {
    const { status, message, unexpected } = refusalFor(error);
    if (unexpected) console.error(error);
    return [status, { error: message }];
  }
}

/** The named pieces of a path, or undefined when it is another one. */
function match(route: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [route.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [at, piece] of wanted.entries()) {
    const text = given[at] ?? '';
    if (piece.startsWith(':')) parts[piece.slice(1)] = decode(text);
    else if (piece !== text) return undefined;
  }
  return parts;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RequestError(400, 'The path is not well encoded.');
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...(isVersioned(body) && { etag: `"${body.version}"` }),
  });
  response.end(text);
}

function isVersioned(body: unknown): body is { readonly version: number } {
  return typeof body === 'object' && body !== null && 'version' in body;
}
