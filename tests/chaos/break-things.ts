import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import type { FaultProxy } from '@dal/testing/faults';
import type { Server } from '@dal/testing/servers';
import type { SeededRandom } from '../setup/seeded-random.ts';

/** Who can be hurt. */
export interface Victims {
  readonly proxy: FaultProxy;
  readonly server: Server;
  /** Its own way to the server, past the proxy. */
  readonly direct: Database;
  readonly random: SeededRandom;
  /** The server has lost all its sessions. */
  onCrash?(): void;
}

type Fault = (victims: Victims) => Promise<void>;

/** What networks and servers do, by name; the counts of a campaign's table go by these. */
const faults = {
  async reset({ proxy }) {
    proxy.resetAll();
  },
  async fin({ proxy }) {
    proxy.finAll();
  },
  async 'cut up'({ proxy, random }) {
    await for30ms(proxy, { cut: 'up', afterBytes: random.between(0, 200) });
  },
  async 'cut down'({ proxy, random }) {
    await for30ms(proxy, { cut: 'down', afterBytes: random.between(0, 200) });
  },
  async stall({ proxy, random }) {
    await for30ms(proxy, random.pick(['stall', 'stall-up', 'stall-down']));
  },
  async 'lost answers'({ proxy }) {
    proxy.set('drop-down');
    await sleep(10);
    proxy.resetAll();
    proxy.set('pass');
  },
  async refused({ proxy }) {
    await proxy.down();
    await sleep(30);
    await proxy.up();
  },
  async 'silent accept'({ proxy }) {
    proxy.set('accept-silent');
    proxy.resetAll();
    await sleep(30);
    proxy.set('pass');
    proxy.resetAll();
  },
  async 'killed sessions'({ direct, server, random }) {
    await killSome(direct, server, random.between(1, 3));
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults | 'crash' | 'outage' | 'silence';

const names = Object.keys(faults) as (keyof typeof faults)[];

/** Does one thing of the list; the counts say which, and so does the answer. */
export async function breakSomething(
  victims: Victims,
  counts: Map<FaultName, number>,
): Promise<FaultName> {
  const name = victims.random.pick(names);
  counts.set(name, (counts.get(name) ?? 0) + 1);
  await faults[name](victims);
  return name;
}

/** The server ends at once, as by loss of power but for the disk, and comes back. */
export async function crash(victims: Victims, counts: Map<FaultName, number>): Promise<void> {
  counts.set('crash', (counts.get('crash') ?? 0) + 1);
  await victims.server.kill();
  victims.onCrash?.();
  await victims.server.start();
}

/** What a client did while nobody could get in. */
export interface Outage {
  /** Connections that it tried to make. */
  readonly attempts: number;
  readonly lastedMs: number;
}

/** Everybody is thrown out, and nobody gets in: the way to the server ends in a reset. */
export async function outage(
  { proxy }: Victims,
  counts: Map<FaultName, number>,
  lastsMs: number,
): Promise<Outage> {
  counts.set('outage', (counts.get('outage') ?? 0) + 1);
  const began = performance.now();
  const before = proxy.counts.accepted;
  proxy.set('reset-on-accept');
  proxy.resetAll();
  await sleep(lastsMs);
  const attempts = proxy.counts.accepted - before;
  proxy.set('pass');
  return { attempts, lastedMs: performance.now() - began };
}

/** Everybody is thrown out, and whoever comes is let in and never hears a word, also afterwards. */
export async function silence(
  { proxy }: Victims,
  counts: Map<FaultName, number>,
  lastsMs: number,
): Promise<void> {
  counts.set('silence', (counts.get('silence') ?? 0) + 1);
  proxy.set('accept-silent');
  proxy.resetAll();
  await sleep(lastsMs);
  proxy.set('pass');
}

async function for30ms(proxy: FaultProxy, mode: Parameters<FaultProxy['set']>[0]): Promise<void> {
  proxy.set(mode);
  await sleep(30);
  proxy.set('pass');
}

async function killSome(direct: Database, { kind }: Server, count: number): Promise<void> {
  if (kind === 'postgres') {
    await direct.query(
      "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'direct' ORDER BY random() LIMIT ?) AS victims",
      [count],
    );
    return;
  }
  const ids = await direct.query<{ id: number }>(
    'SELECT id FROM information_schema.processlist WHERE db IS NOT NULL AND id <> connection_id() ORDER BY rand() LIMIT ?',
    [count],
  );
  for (const { id } of ids) {
    // It may have ended by itself meanwhile.
    await direct.query(`KILL ${id}`).catch(() => undefined);
  }
}
