// The process of one contender of `pnpm bench outage`: callers that never rest, and reports of what
// they were told. Started by outage-process.ts.
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type OutageClient,
  outageClients,
  type OutageEngine,
  type Told,
} from './outage-clients.ts';

/** What the process is told. */
export type ToChild =
  | { readonly start: OutageTask }
  | { readonly password: string }
  | 'pause'
  | 'resume'
  | 'leak'
  | 'unleak'
  | 'stop';

export interface OutageTask {
  readonly engine: OutageEngine;
  readonly contender: string;
  readonly who: string;
  readonly url: string;
  /** Another server, for those who choose between several; the other one may follow the first. */
  readonly secondPort?: number;
  readonly password: string;
  readonly callers: number;
  /** The answer to a read, so that a wrong one is seen. */
  readonly words: readonly string[];
}

export type RequestKind = 'read' | 'write' | 'transfer';

/** Moments are milliseconds of the time of day. */
export interface RequestReport {
  readonly op: string;
  readonly kind: RequestKind;
  readonly told: Told | 'wrong';
  readonly beganAt: number;
  readonly endedAt: number;
}

/** What the process tells. */
export interface FromChild {
  readonly requests: readonly RequestReport[];
  /** When a connection was tried. */
  readonly attempts: readonly number[];
  /** Only in the last message: requests that have not ended, long after their time. */
  readonly hanging?: number;
}

const REPORT_EVERY_MS = 50;
/** Longer than any request may take. */
const PATIENCE_MS = 4_000;

const requests: RequestReport[] = [];
const attempts: number[] = [];
const leaked: (() => unknown)[] = [];
const leak = { wanted: false };
let password = '';
let paused: PromiseWithResolvers<void> | undefined;
const work = { stopped: false, underWay: 0 };
let client: OutageClient | undefined;

countConnects();
process.on('message', (message) => void obey(message as ToChild));
// Nobody is there any more who would want to know.
process.on('disconnect', () => process.exit());

async function obey(message: ToChild): Promise<void> {
  if (typeof message === 'object') {
    if ('start' in message) start(message.start);
    else password = message.password;
  } else if (message === 'pause') paused ??= Promise.withResolvers();
  else if (message === 'resume') {
    paused?.resolve();
    paused = undefined;
  } else if (message === 'leak') await leakAll();
  else if (message === 'unleak') {
    leak.wanted = false;
    for (const giveBack of leaked.splice(0)) await giveBack();
  } else await stop();
}

function start(task: OutageTask): void {
  password = task.password;
  const open = outageClients(task.engine)[task.contender];
  if (!open) throw new Error(`${task.contender} is not known.`);
  const { url, secondPort, who } = task;
  const opened = open({ url, who, password: () => password, ...(secondPort && { secondPort }) });
  client = opened;
  for (let caller = 0; caller < task.callers; caller++) void callOn(opened, caller, task.words);
  setInterval(report, REPORT_EVERY_MS);
}

async function callOn(on: OutageClient, caller: number, words: readonly string[]): Promise<void> {
  for (let turn = 0; !work.stopped; turn++) {
    if (paused) await paused.promise;
    const kind = (['read', 'write', 'transfer'] as const)[(turn + caller) % 3]!;
    const op = `${caller}-${turn}`;
    const beganAt = now();
    work.underWay++;
    const told = await (kind === 'read' ? read(on, words) : on[kind](op));
    work.underWay--;
    requests.push({ op, kind, told, beganAt, endedAt: now() });
    // A caller that fails at once must not do nothing but fail.
    await sleep(2);
  }
}

async function read(on: OutageClient, words: readonly string[]): Promise<RequestReport['told']> {
  try {
    const found = await on.read();
    return found.join() === words.join() ? 'done' : 'wrong';
  } catch {
    return 'failed';
  }
}

async function leakAll(): Promise<void> {
  leak.wanted = true;
  while (leak.wanted) {
    const giveBack = await client!.leak().catch(() => undefined);
    if (giveBack === undefined) return;
    // Who has no limit for the wait may get one when it is over.
    if (leak.wanted) leaked.push(giveBack);
    else await giveBack();
  }
}

async function stop(): Promise<void> {
  work.stopped = true;
  paused?.resolve();
  const endsAt = now() + PATIENCE_MS;
  while (work.underWay > 0 && now() < endsAt) await sleep(10);
  report(work.underWay);
  await Promise.race([client?.close().catch(() => undefined), sleep(1_000)]);
  process.disconnect();
}

function report(hanging?: number): void {
  const message: FromChild = {
    requests: requests.splice(0),
    attempts: attempts.splice(0),
    ...(hanging !== undefined && { hanging }),
  };
  process.send?.(message);
}

/** Whoever it is that connects: all of them stand on Node's sockets. */
function countConnects(): void {
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function counted(this: Socket, ...given: never[]) {
    attempts.push(now());
    return Reflect.apply(connect, this, given);
  };
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
