import type { Driver, DriverConnection } from '@dal/core';
import { OutageWatch } from './outage-watch.ts';
import { gateName } from './known-server.ts';
import { SeveralServers, type SeveralServersParts } from './several-servers.ts';

export interface SessionSourceParts<Options, Raw> extends Pick<
  SeveralServersParts<Options, Raw>,
  'driver' | 'retire' | 'onMove'
> {
  readonly options: Options;
  readonly failFast: boolean;
}

/** Where a pool's sessions come from: one server or several, with the watch over their health. */
export class SessionSource<Options, Raw> {
  /** The driver; with several servers its `connect` finds the right one. */
  readonly driver: Driver<Options, Raw>;
  readonly watch: OutageWatch;
  readonly #several: SeveralServers<Options, Raw> | undefined;

  constructor({ driver, options, failFast, retire, onMove }: SessionSourceParts<Options, Raw>) {
    const list = driver.servers?.(options);
    const only = list?.servers.length === 1 && (list.target ?? 'any') === 'any' ? list : undefined;
    const several =
      list && !only
        ? new SeveralServers({
            driver,
            list,
            retire,
            onMove,
            onSpare: () => this.watch.recovered(),
          })
        : undefined;
    const [first] = only?.servers ?? [];
    this.#several = several;
    this.driver = several ? { ...driver, connect: (_, lost) => several.connect(lost) } : driver;
    this.watch = new OutageWatch({
      server: first && gateName(driver, first.name),
      failFast,
      classify: (error) => driver.classify(error),
      onStop: () => several?.close(),
    });
  }

  /** A refused write leads to another server, when there is one. */
  get seeksPrimary(): boolean {
    return this.#several?.seeksPrimary ?? false;
  }

  suspect(connection: DriverConnection<Raw>): void {
    this.#several?.suspect(connection);
  }

  mistrust(connection: DriverConnection<Raw>): void {
    this.#several?.mistrust(connection);
  }

  /** One of the sessions should be asked for a sign of life now and then. */
  get needsSight(): boolean {
    return this.#several?.needsSight ?? false;
  }

  /** The primary is silent, though something is awaited from it. */
  doubt(): void {
    this.#several?.doubt();
  }

  /** It is not silent any more. */
  trust(): void {
    this.#several?.trust();
  }

  /** No session is left. */
  rest(): void {
    this.#several?.rest();
  }

  /** Tells servers apart: what one knows of its transactions another one does not. */
  homeOf(connection: DriverConnection<Raw>): object | undefined {
    return this.#several?.homeOf(connection);
  }
}
