import { type LiveList, NestedAcquireError } from '@dal/core';
import { heldLeases } from './holding.ts';
import { callerLines, type Lease, takeStack } from './lease.ts';

/** A statement of the holder's own may be about to be sent; a deadlock stays. */
const FIRST_LOOK_MS = 20;
const NEXT_LOOK_MS = 100;

/** Somebody who holds sessions of a pool and waits for one more of it. */
export interface NestedWait {
  /** To be called when the wait has ended, in whatever way. */
  end(): void;
}

/**
 * Looks after a wait that may never end: when everybody who holds a session of the pool waits for
 * another one, nobody gives one back. Then this wait is refused, so that the others can go on.
 * Undefined when the waiting code holds nothing of this pool.
 */
export function watchNestedWait(
  lent: LiveList<Lease>,
  max: number,
  refuse: (error: NestedAcquireError) => void,
  name: string,
): NestedWait | undefined {
  const held = heldLeases().filter((lease) => lent.has(lease));
  const [innermost] = held;
  if (innermost === undefined) return undefined;
  const inner = takeStack();
  for (const lease of held) lease.nestedWaits++;
  const look = (): void => {
    if (lent.size >= max && [...lent].every(isStuck)) {
      refuse(deadlocked(name, max, innermost, inner));
    } else timer = setTimeout(look, NEXT_LOOK_MS).unref();
  };
  let timer = setTimeout(look, FIRST_LOOK_MS);
  return {
    end() {
      clearTimeout(timer);
      for (const lease of held) lease.nestedWaits--;
    },
  };
}

/** Its holder waits for another session and does nothing with this one. */
function isStuck({ nestedWaits, session }: Lease): boolean {
  return nestedWaits > 0 && !session.busy && session.settling === undefined;
}

function deadlocked(name: string, max: number, outer: Lease, inner: Error): NestedAcquireError {
  const taken = outer.origin
    ? `\n  The connection was taken at:\n${indented(callerLines(outer.origin))}`
    : '';
  return new NestedAcquireError(
    `${max === 1 ? 'The only connection' : `Every one of the ${max} connections`} of "${name}" is held by a callback that waits for another one of the same pool, so none would ever come back. ` +
      'Use the transaction or connection that the callback was given, or raise pool.max.' +
      `${taken}\n  The second one was asked for at:\n${indented(callerLines(inner))}`,
    { kind: 'usage', code: 'DAL_NESTED_ACQUIRE' },
  );
}

function indented(lines: string): string {
  return lines
    .split('\n')
    .slice(0, 5)
    .map((line) => `    ${line}`)
    .join('\n');
}
