export { type Replica, startReplica } from './postgres-replica.ts';
export { type Engine, startEngines, type StartedEngines } from './start-engines.ts';
export { startServer } from './start-server.ts';
export { freePort } from './free-port.ts';
export type { Server, ServerKind, ServerOptions, ServerSource, ServerTls } from './server.ts';
export { type Chromium, findChromium } from './chromium.ts';
export { type DebianPackages, debianPackages, type DebianSelection } from './debian-packages.ts';
