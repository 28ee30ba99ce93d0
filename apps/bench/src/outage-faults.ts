import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '@dal/testing/faults';
import type { Server } from '@dal/testing/servers';
import type { OutageProcess } from './outage-process.ts';
import type { OutageStandby } from './outage-standby.ts';
import type { SessionAdmin } from './session-admin.ts';

/** Everything that a fault may touch: it happens to all contenders at the same time. */
export interface OutageVictims {
  readonly server: Server;
  readonly standby: OutageStandby | undefined;
  readonly admin: SessionAdmin;
  readonly proxies: readonly FaultProxy[];
  readonly processes: readonly OutageProcess[];
  /** Shorter for a first look. */
  readonly quick: boolean;
}

/** Does it, waits as long as it lasts, and takes it back; then the server is there for everybody. */
type OutageFault = (victims: OutageVictims) => Promise<void>;

export const outageFaults = {
  async 'killed idle'({ admin, processes }) {
    for (const one of processes) one.tell('pause');
    await sleep(300);
    await admin.killAll();
    await sleep(300);
    for (const one of processes) one.tell('resume');
  },
  async 'killed busy'({ admin }) {
    for (let time = 0; time < 3; time++) {
      await admin.killAll();
      await sleep(200);
    }
  },
  async 'killed in transaction'({ admin }) {
    for (let time = 0; time < 5; time++) {
      await admin.killInTransaction();
      await sleep(100);
    }
  },
  async 'killed connecting'({ proxies, quick }) {
    for (const proxy of proxies) {
      proxy.set({ cut: 'down', afterBytes: 20 });
      proxy.resetAll();
    }
    await sleep(quick ? 1_000 : 3_000);
    pass(proxies);
  },
  async 'server restarted'({ server }) {
    await server.restart();
  },
  async 'server killed'({ server }) {
    await server.kill();
    await server.start();
  },
  async frozen({ server, quick }) {
    await server.freeze();
    await sleep(quick ? 2_500 : 5_000);
    await server.thaw();
  },
  async 'packets dropped'({ proxies, quick }) {
    for (const proxy of proxies) proxy.set('drop-down');
    await sleep(quick ? 2_500 : 5_000);
    pass(proxies);
  },
  async refused({ proxies, quick }) {
    await Promise.all(proxies.map((proxy) => proxy.down()));
    await sleep(quick ? 3_000 : 20_000);
    await Promise.all(proxies.map((proxy) => proxy.up()));
  },
  async 'standby promoted'({ standby, proxies }) {
    if (!standby) throw new Error('Only a server that is followed can be succeeded.');
    await standby.promote();
    // The one address that most know moves; a connection to the former primary ends.
    for (const proxy of proxies) {
      proxy.leadTo(standby.server);
      proxy.resetAll();
    }
  },
  async 'too many connections'({ admin, proxies, quick }) {
    for (const proxy of proxies) {
      proxy.set('reset-on-accept');
      proxy.resetAll();
    }
    const release = await admin.takeAllPlaces();
    pass(proxies);
    await sleep(quick ? 1_500 : 5_000);
    await release();
  },
  async 'slow handshake'({ proxies, quick }) {
    for (const proxy of proxies) {
      proxy.set({ drip: 'down', bytes: 10, everyMs: 100 });
      proxy.resetAll();
    }
    await sleep(quick ? 2_500 : 5_000);
    pass(proxies);
  },
  async 'password rotated'({ admin, processes }) {
    const password = await admin.rotatePassword();
    for (const one of processes) one.tell({ password });
    await admin.killAll();
  },
  async 'pool leaked'({ processes, quick }) {
    for (const one of processes) one.tell('leak');
    await sleep(quick ? 2_500 : 5_000);
    for (const one of processes) one.tell('unleak');
  },
} satisfies Record<string, OutageFault>;

export type OutageFaultName = keyof typeof outageFaults;
export const OUTAGE_FAULTS = Object.keys(outageFaults) as OutageFaultName[];

function pass(proxies: readonly FaultProxy[]): void {
  for (const proxy of proxies) proxy.set('pass');
}
