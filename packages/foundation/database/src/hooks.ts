import type { HookEvents, HookListener, HookName, HookRegistry } from '@dal/core';

/** Listeners of one database. A listener that throws is warned about and changes nothing. */
export class Hooks implements HookRegistry {
  /** True when anybody listens; asked before an event is made. */
  watched = false;
  readonly #listeners = new Map<HookName, Set<HookListener<never>>>();

  on<Name extends HookName>(name: Name, listener: HookListener<Name>): () => void {
    let listeners = this.#listeners.get(name);
    if (!listeners) this.#listeners.set(name, (listeners = new Set()));
    // Its own function, so that the same listener may be added twice and taken away once.
    const own: HookListener<Name> = (event) => listener(event);
    listeners.add(own);
    this.watched = true;
    return () => {
      listeners.delete(own);
      this.watched = [...this.#listeners.values()].some((set) => set.size > 0);
    };
  }

  emit<Name extends HookName>(name: Name, event: HookEvents[Name]): void {
    const listeners = this.#listeners.get(name) as Set<HookListener<Name>> | undefined;
    if (!listeners) return;
    for (const listener of listeners) {
      try {
        const answer = listener(event);
        // An async listener's failure must not become an unhandled rejection.
        if (answer instanceof Promise) answer.catch((error: unknown) => warn(name, error));
      } catch (error) {
        warn(name, error);
      }
    }
  }
}

function warn(name: string, error: unknown): void {
  const words = error instanceof Error ? error.message : String(error);
  process.emitWarning(`A listener of "${name}" failed: ${words}`, { code: 'DAL_HOOK_FAILED' });
}
