export {
  type FaultProxy,
  type ProxyCounts,
  type ProxyTarget,
  startFaultProxy,
} from './fault-proxy.ts';
export type { Direction } from './lane-fault.ts';
export type { ProxyMode } from './proxy-mode.ts';
