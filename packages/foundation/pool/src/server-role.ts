import type { ServerRole, TargetServer } from '@dal/core';

/** There is one such server at a time, and writes go there. */
export function wantsPrimary(target: TargetServer): boolean {
  return target === 'read-write' || target === 'primary';
}

/** What the server is instead of what is wanted; undefined when it will do. */
export function misfit(target: TargetServer, role: ServerRole): string | undefined {
  const { writable, standby } = role;
  switch (target) {
    case 'read-write':
      if (writable) return undefined;
      return standby ? 'is a standby' : 'is read-only';
    case 'primary':
      return standby ? 'is a standby' : undefined;
    case 'read-only':
      return writable ? 'is read-write' : undefined;
    case 'standby':
    case 'prefer-standby':
      return standby ? undefined : 'is a primary';
    default:
      return undefined;
  }
}
