import type { Database } from '@dal/core';
import type { ConfigOptions } from '@dal/factory';
import type { Server } from '@dal/testing/servers';
import type { EngineWords } from '../engine-words.ts';
import type { Shop } from '../shop.ts';
import type { Workload } from '../workload.ts';

/** What a show may use, while the workload is running on it. */
export interface Stage {
  readonly db: Database;
  readonly words: EngineWords;
  readonly shop: Shop;
  readonly workload: Workload;
  /** Opens a second database on the same engine. */
  readonly open: (options: ConfigOptions) => Promise<Database>;
  /** The server, where the demo has started it. */
  readonly server: Server | undefined;
  /** Ends a show early. */
  readonly signal: AbortSignal;
}

export interface ShowResult {
  readonly passed: boolean;
  /** What happened, and what the layer did. */
  readonly lines: readonly string[];
}

/** Something goes wrong on purpose, or something long runs, while orders go on. */
export interface Show {
  readonly title: string;
  run(stage: Stage): Promise<ShowResult>;
}

export function msSince(startedAt: number): string {
  return `${Math.round(performance.now() - startedAt)} ms`;
}
