import { goodbye } from './goodbye.ts';
import { killQuery } from './kill-session.ts';
import type { Line } from './line.ts';
import type { MysqlOptions } from './mysql-options.ts';
import { openLine } from './open-line.ts';

/** A server that is there greets in this time; one from which nothing comes is not waited for. */
const SILENCE_MS = 750;

/** Cancels of one session's statements, each on a line of its own; they end with the session. */
export class Cancels {
  readonly #line: Line;
  readonly #options: MysqlOptions;
  readonly #underWay = new Set<Line>();

  constructor(line: Line, options: MysqlOptions) {
    this.#line = line;
    this.#options = options;
  }

  /**
   * Comes back when nothing of the kill is left that could hit a later statement; rejects when nothing
   * is heard of the server.
   */
  async cancel(): Promise<void> {
    const endsAt = performance.now() + this.#options.connectTimeoutMs;
    let own: Line | undefined;
    let timer: NodeJS.Timeout | undefined;
    const silence = setTimeout(() => {
      if (own?.socket.bytesRead === 0) own.drop();
    }, SILENCE_MS);
    try {
      // Without a database: a KILL needs none, and in the server's list it is told apart by that.
      const options = { ...this.#options, database: undefined };
      const { line } = await openLine(options, endsAt, {
        born: (born) => {
          if (own) this.#underWay.delete(own);
          own = born;
          this.#underWay.add(born);
          if (this.#line.ended) born.drop();
        },
      });
      timer = setTimeout(() => line.drop(), Math.max(0, endsAt - performance.now()));
      if (!this.#line.ended) await killQuery(line, this.#line.threadId);
      // The kill has arrived; only when the server has closed this line too, nothing of it is left.
      await goodbye(line);
    } finally {
      clearTimeout(timer);
      clearTimeout(silence);
      own?.drop();
      if (own) this.#underWay.delete(own);
    }
  }

  drop(): void {
    for (const line of this.#underWay) line.drop();
  }
}
