import type { IncomingMessage } from 'node:http';

const MOST_BYTES = 4_096;
const MOST_IDS = 50;

/** The ids of statements that somebody wants stopped; undefined when that is not what was sent. */
export async function readWishes(request: IncomingMessage): Promise<readonly string[] | undefined> {
  const body = await readBody(request);
  if (body === undefined) return undefined;
  try {
    const { stop } = JSON.parse(body) as { stop?: unknown };
    const isList = Array.isArray(stop) && stop.length > 0 && stop.length <= MOST_IDS;
    return isList && stop.every((id) => typeof id === 'string') ? stop : undefined;
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  // A framework's reader of bodies may have been there before.
  const { body: read } = request as { body?: unknown };
  if (read !== undefined) return typeof read === 'string' ? read : JSON.stringify(read);
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MOST_BYTES) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
