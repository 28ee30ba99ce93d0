// What a blocking call costs beside the awaited one: a read of one number, and of 1,000 rows.
//
//   node --conditions=@dal/source apps/bench/src/sync.ts
import type { Database } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import { enableSync } from '@dal/sync';
import { startServer } from '@dal/testing/servers';
import { interleave, quartiles, showRatio, ratios } from './rounds.ts';
import { runProgram } from './run-program.ts';
import { table } from './table.ts';

const ROUNDS = 15;
const MANY =
  'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, i * 2 AS j FROM n';
const READS = [
  { name: 'one value', text: 'SELECT ? + 0', values: [7], calls: 300 },
  { name: '1,000 rows', text: MANY, values: [], calls: 20 },
] as const;

type Read = (typeof READS)[number];
type Way = (read: Read) => Promise<number>;

runProgram(main);

async function main(): Promise<void> {
  enableSync();
  for (const kind of ['postgres', 'mysql', 'mariadb'] as const) {
    await using server = await startServer(kind);
    await using db = (kind === 'postgres' ? postgres : mysql)(server.url);
    const { serverVersion } = await db.version();
    const began = performance.now();
    db.sync.connect();
    const startMs = performance.now() - began;
    const rows: string[][] = [];
    for (const read of READS) rows.push(await compare(db, read));
    console.log(
      `\n${kind} ${serverVersion}; worker, driver and first connection: ${Math.round(startMs)} ms`,
    );
    console.log(table(['us a call', 'awaited', 'blocking', 'blocking / awaited'], rows));
  }
}

async function compare(db: Database, read: Read): Promise<string[]> {
  const awaited: Way = async ({ text, values, calls }) => {
    const began = performance.now();
    for (let call = 0; call < calls; call++) await db.query(text, values);
    return ((performance.now() - began) * 1_000) / calls;
  };
  const blocking: Way = ({ text, values, calls }) => {
    const began = performance.now();
    for (let call = 0; call < calls; call++) db.sync.query(text, values);
    return Promise.resolve(((performance.now() - began) * 1_000) / calls);
  };
  const ways = [awaited, blocking];
  for (const way of ways) await way(read);
  const measured = await interleave(ways, ROUNDS, (way) => way(read));
  const [a, b] = ways.map((way) => measured.get(way) ?? []) as [number[], number[]];
  return [
    read.name,
    quartiles(a).median.toFixed(0),
    quartiles(b).median.toFixed(0),
    showRatio(quartiles(ratios(b, a))),
  ];
}
