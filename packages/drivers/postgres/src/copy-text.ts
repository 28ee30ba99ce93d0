import type { LoadBatch } from '@dal/core';
import { CHUNK_BYTES } from './copy-chunks.ts';
import { encodeValues } from './postgres-types.ts';
import { timestampText } from './timestamp-text.ts';

/** Rows in the text format of COPY, in chunks that are worth a message each. */
export async function* copyText(
  batches: AsyncIterable<LoadBatch>,
): AsyncGenerator<Buffer, void, undefined> {
  let text = '';
  for await (const batch of batches) {
    for (const row of batch) {
      for (let index = 0; index < row.length; index++) {
        text += index === 0 ? field(row[index]) : `\t${field(row[index])}`;
      }
      text += '\n';
      if (text.length < CHUNK_BYTES) continue;
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text);
}

/** The same text as in a statement's value; the usual kinds are written here, for they are many. */
function field(value: unknown): string {
  if (typeof value === 'string') return special.test(value) ? escape(value) : value;
  if (typeof value === 'number' && value !== 0) return String(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value === null || value === undefined) return NULL;
  if (value instanceof Date) {
    const text = timestampText(value.getTime());
    if (text !== undefined) return text;
  }
  const [encoded] = encodeValues([value]);
  if (typeof encoded === 'string') return escape(encoded);
  return encoded ? String.raw`\\x${encoded.toString('hex')}` : NULL;
}

const NULL = String.raw`\N`;
const special = /[\\\n\r\t]/;

function escape(text: string): string {
  return text.replaceAll(/[\\\n\r\t]/g, (character) => escapes[character] as string);
}

const escapes: Readonly<Record<string, string>> = {
  '\\': String.raw`\\`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
};
