import type { RowShape } from './row-shape.ts';

/** What is known of one name on one session. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
  /**
   * `new`: never sent. `ready`: the server has it. `doubtful`: a failure left that open, so the name
   * is closed before it is prepared again (closing an unknown name is no error).
   */
  state: 'new' | 'ready' | 'doubtful';
  /** Known from the first run on, so the description isn't asked for again. */
  shape: RowShape | undefined;
}

/** The statements that a session's server holds for us, the least used one closed beyond a limit. */
export class PreparedStatements {
  readonly #limit: number;
  readonly #byName = new Map<string, PreparedStatement>();
  /** Names to close together with the next statement, which costs no round trip of its own. */
  #closing: string[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  take(name: string, text: string): PreparedStatement | undefined {
    if (this.#limit === 0) return undefined;
    const known = this.#byName.get(name);
    // Names sort themselves by their last use.
    if (known) this.#byName.delete(name);
    const statement = known?.text === text ? known : fresh(name, text, known !== undefined);
    this.#byName.set(name, statement);
    if (this.#byName.size > this.#limit) this.#dropOldest();
    return statement;
  }

  /** The names to close now, or undefined when there are none. */
  takeClosing(): readonly string[] | undefined {
    if (this.#closing.length === 0) return undefined;
    const names = this.#closing;
    this.#closing = [];
    return names;
  }

  /** After DISCARD ALL: the server holds nothing any more. */
  clear(): void {
    this.#byName.clear();
    this.#closing = [];
  }

  #dropOldest(): void {
    const [oldest] = this.#byName.values();
    if (!oldest) return;
    this.#byName.delete(oldest.name);
    if (oldest.state !== 'new') this.#closing.push(oldest.name);
  }
}

function fresh(name: string, text: string, replaces: boolean): PreparedStatement {
  return { name, text, state: replaces ? 'doubtful' : 'new', shape: undefined };
}
