import type { Session } from './session.ts';

/**
 * A session runs one statement at a time; the others wait their turn, in order, so that
 * `Promise.all` on one connection is safe. Undefined when the turn is free at once.
 */
export function takeTurn(session: Session): Promise<void> | undefined {
  if (!session.busy) {
    session.busy = true;
    return undefined;
  }
  return new Promise((resolve) => {
    session.turns.push(resolve);
  });
}

export function giveTurn(session: Session): void {
  const next = session.turns.shift();
  if (next) next();
  else session.busy = false;
}
