import type { WebProgram } from './web-program.ts';

/** One series with its labels, and its number at the time that was asked for. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What answers questions in PromQL. */
export class MetricsServer implements AsyncDisposable {
  readonly url: string;
  readonly version: string;
  readonly #program: WebProgram;

  constructor(program: WebProgram, version: string) {
    this.#program = program;
    this.url = program.url;
    this.version = version;
  }

  /** @throws Error with the server's own words for a wrong expression */
  async query(expression: string): Promise<Sample[]> {
    const { result } = (await this.ask('query', { query: expression })) as {
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** What `/api/v1/...` answers. */
  async ask(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const search = new URLSearchParams(parameters).toString();
    const response = await fetch(`${this.url}/api/v1/${path}?${search}`);
    const body = (await response.json()) as { data?: unknown; error?: string };
    if (!response.ok) throw new Error(`${path}: ${body.error ?? response.statusText}`);
    return body.data;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]() as Promise<void>;
  }
}
