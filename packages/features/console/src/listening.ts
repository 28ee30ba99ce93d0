import type { Channel } from 'node:diagnostics_channel';

/** Listeners on channels that are taken away together. */
export class Listening {
  readonly #undo: (() => void)[] = [];

  to<Message>(channel: Channel<unknown, Message>, listener: (message: Message) => void): void {
    const guarded = (message: unknown): void => {
      try {
        listener(message as Message);
      } catch {
        // Node ends the process when a listener throws, and a page to look at is not worth that.
      }
    };
    channel.subscribe(guarded);
    this.#undo.push(() => channel.unsubscribe(guarded));
  }

  stop(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }
}
