import type { ProxyFault } from '../lane-fault.ts';

/** A server that is stuck before its first word; connections that exist go on. */
export const acceptSilent: ProxyFault = { onAccept: 'silence' };
