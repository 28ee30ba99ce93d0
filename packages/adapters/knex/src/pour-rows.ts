import { Readable } from 'node:stream';

/**
 * Rows into the stream that Knex gave to its user. Resolves at the end; an error comes out of both, as
 * Knex has it. When the user leaves early, Knex destroys what is piped, and the loop over the rows ends.
 */
export function pourRows(
  rows: AsyncIterable<unknown>,
  stream: NodeJS.WritableStream,
): Promise<void> {
  const source = Readable.from(rows);
  return new Promise((resolve, reject) => {
    source.on('error', (error) => {
      reject(error);
      stream.emit('error', error);
    });
    source.on('end', resolve);
    source.on('close', resolve);
    source.pipe(stream);
  });
}
