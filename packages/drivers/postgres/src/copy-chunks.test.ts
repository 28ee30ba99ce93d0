import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHUNK_BYTES, copyChunks } from './copy-chunks.ts';

async function chunksOf(pieces: readonly (string | Uint8Array)[]): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  const source = (async function* () {
    yield* pieces;
  })();
  for await (const chunk of copyChunks(source)) chunks.push(chunk);
  return chunks;
}

test('pieces of any size become chunks of one size', async () => {
  const sizes = fc.array(fc.nat(200_000), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const pieces = lengths.map((length, index) => Buffer.alloc(length, index + 1));
      const chunks = await chunksOf(pieces);
      expect(Buffer.concat(chunks).equals(Buffer.concat(pieces))).toBe(true);
      for (const chunk of chunks.slice(0, -1)) expect(chunk.length).toBe(CHUNK_BYTES);
      expect(chunks.every((chunk) => chunk.length > 0)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('a text may be cut anywhere, also in the middle of a character', async () => {
  const unit = fc.constantFrom('a', 'é', '😀', '\t');
  await fc.assert(
    fc.asyncProperty(fc.string({ unit }), fc.array(fc.nat(20)), async (text, cuts) => {
      const places = [...cuts, text.length].toSorted((a, b) => a - b);
      const pieces = places.map((place, index) => text.slice(places[index - 1] ?? 0, place));
      expect(Buffer.concat(await chunksOf(pieces)).toString()).toBe(text);
    }),
  );
});

test('anything but text and bytes is refused', async () => {
  for (const wrong of [5, null, undefined, [1, 'a'], {}]) {
    await expect(chunksOf([wrong as never])).rejects.toMatchObject({ code: 'DAL_VALUE' });
  }
});
