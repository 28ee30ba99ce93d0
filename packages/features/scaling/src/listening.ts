import type { Channel } from 'node:diagnostics_channel';

/** Listeners on channels, all of which go at once. What one throws harms nobody, and is warned about once. */
export class Listening {
  readonly #what: string;
  readonly #undo: (() => void)[] = [];
  #hasFailed = false;

  /** @param what for the warning, such as `Scaling` */
  constructor(what: string) {
    this.#what = what;
  }

  to<Message>(channel: Channel<unknown, Message>, listener: (message: Message) => void): void {
    // Node ends the process when a listener throws.
    const guarded = (message: unknown): void => this.harmlessly(() => listener(message as Message));
    channel.subscribe(guarded);
    this.atEnd(() => channel.unsubscribe(guarded));
  }

  atEnd(undo: () => void): void {
    this.#undo.push(undo);
  }

  stop(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  harmlessly(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      const words = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
      process.emitWarning(`${this.#what} failed, which changed nothing else. ${words}`, {
        code: 'DAL_SCALING_FAILED',
      });
    }
  }
}
