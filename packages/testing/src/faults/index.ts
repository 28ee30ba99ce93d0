export {
  type FaultProxy,
  type ProxyCounts,
  type ProxyTarget,
  startFaultProxy,
} from './fault-proxy.ts';
export type { Direction, ProxyMode } from './lane.ts';
