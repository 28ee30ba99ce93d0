import { clearLine, cursorTo } from 'node:readline';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where the demo speaks: lines that stay, and on a terminal one line below them that is redrawn. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  #progress = '';

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream;
  }

  line(text = ''): void {
    this.#erase();
    this.#stream.write(`${text}\n`);
    this.#draw();
  }

  /** Shows a text until the next one; an empty text ends it. Without a terminal nothing is shown. */
  progress(text: string): void {
    if (!this.#stream.isTTY) return;
    this.#erase();
    this.#progress = text;
    this.#draw();
  }

  /** Colours where the terminal has them and NO_COLOR does not object. */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }

  get width(): number {
    // Some terminals do not know, or say 0.
    return this.#stream.columns || 80;
  }

  #erase(): void {
    if (this.#progress === '') return;
    cursorTo(this.#stream, 0);
    clearLine(this.#stream, 0);
  }

  #draw(): void {
    if (this.#progress !== '') this.#stream.write(this.#progress);
  }
}
