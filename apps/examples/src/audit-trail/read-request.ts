import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Author, Page } from './audit-trail.ts';
import { RequestError } from './request-error.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** The body as JSON, which is an object. @throws RequestError */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new RequestError(413, `The body is over ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  try {
    return text === '' ? {} : (JSON.parse(text) as unknown);
  } catch {
    throw new RequestError(400, 'The body is not JSON.');
  }
}

/** Who asks: `X-User`; why: `X-Comment`; which version they saw: `If-Match`. @throws RequestError */
export function readAuthor({ headers }: IncomingMessage): Author {
  const userId = headers['x-user'];
  if (typeof userId !== 'string' || userId === '' || userId.length > 100) {
    throw new RequestError(401, 'Say who you are in the header X-User.');
  }
  const comment = headers['x-comment'];
  const expected = headers['if-match'];
  return {
    userId,
    ...(typeof comment === 'string' && { comment }),
    ...(expected !== undefined && { expectedVersion: readVersion(expected.replaceAll('"', '')) }),
  };
}

/** @throws RequestError */
export function readVersion(text: unknown): number {
  return read(
    z.coerce
      .number()
      .int()
      .min(1)
      .max(2 ** 31),
    text,
    'version',
  );
}

/** `limit` (20, at most 100) and `offset`. @throws RequestError */
export function readPage(query: URLSearchParams): Page {
  const page = z.object({
    limit: z.coerce.number().int().min(1).max(100).default(20),
    offset: z.coerce.number().int().min(0).max(100_000).default(0),
  });
  const { limit, offset } = Object.fromEntries(query);
  return read(page, { limit, offset }, 'page');
}

/** @throws RequestError that names what is wrong */
export function read<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const words = result.error.issues.map(({ path, message }) =>
    [path.join('.') || what, message].join(': '),
  );
  throw new RequestError(422, words.join('; '));
}
