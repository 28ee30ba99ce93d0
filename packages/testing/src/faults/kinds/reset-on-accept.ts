import type { ProxyFault } from '../lane-fault.ts';

/** A gate that lets nobody in any more: new connections are reset at once; those that exist go on. */
export const resetOnAccept: ProxyFault = { onAccept: 'reset' };
