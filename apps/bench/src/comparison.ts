import type { Contender } from './contender.ts';
import type { CaseName, EngineName } from './read-arguments.ts';
import { quartiles, type Quartiles, ratios } from './rounds.ts';

/** One contender in one round. */
export interface Measure {
  /** Calls, or rows in bulk and streams. */
  readonly perSecond: number;
  /** Processor time of this process alone for a call or row: no server, no process of SQLite's. */
  readonly cpuUs: number;
  /** The most memory that the process ever had, where it was a process of its own. */
  readonly peakMiB?: number;
}

/** Everybody at one task. */
export interface Comparison {
  readonly engine: EngineName;
  readonly versions: string;
  readonly task: CaseName | 'bulk' | 'stream';
  readonly callers: number;
  /** Rows of a load or stream. */
  readonly rows?: number;
  readonly rounds: number;
  readonly contenders: readonly ContenderResult[];
}

export interface ContenderResult {
  readonly name: string;
  readonly side: Contender['side'];
  readonly perSecond: Quartiles;
  readonly cpuUs: Quartiles;
  readonly peakMiB?: Quartiles;
  /** Divided by those of each of the engine's own libraries, round by round. */
  readonly speedTo: Readonly<Record<string, Quartiles>>;
  readonly cpuTo: Readonly<Record<string, Quartiles>>;
}

export function compare(
  about: Omit<Comparison, 'rounds' | 'contenders'>,
  measured: ReadonlyMap<Contender, readonly Measure[]>,
): Comparison {
  const raw = [...measured].filter(([{ side }]) => side === 'raw');
  const contenders = [...measured].map(([{ name, side }, rounds]): ContenderResult => {
    const to = (what: 'perSecond' | 'cpuUs'): Record<string, Quartiles> =>
      Object.fromEntries(
        raw.map(([their, theirs]) => [
          their.name,
          quartiles(ratios(of(rounds, what), of(theirs, what))),
        ]),
      );
    const peaks = rounds.flatMap(({ peakMiB }) => (peakMiB === undefined ? [] : [peakMiB]));
    return {
      name,
      side,
      perSecond: quartiles(of(rounds, 'perSecond')),
      cpuUs: quartiles(of(rounds, 'cpuUs')),
      ...(peaks.length > 0 ? { peakMiB: quartiles(peaks) } : {}),
      speedTo: to('perSecond'),
      cpuTo: to('cpuUs'),
    };
  });
  const [first = []] = measured.values();
  return { ...about, rounds: first.length, contenders };
}

function of(rounds: readonly Measure[], what: 'perSecond' | 'cpuUs'): number[] {
  return rounds.map((measure) => measure[what]);
}
