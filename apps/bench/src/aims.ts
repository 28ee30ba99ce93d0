import type { Comparison } from './comparison.ts';
import type { Quartiles } from './rounds.ts';

/** What DAL wants to be beside the engine's own library. */
interface Aim {
  readonly engine: Comparison['engine'];
  readonly task: Comparison['task'];
  readonly ours: string;
  readonly theirs: string;
  readonly speedAtLeast?: number;
  readonly cpuAtMost?: number;
}

export interface Verdict extends Aim {
  readonly callers: number;
  readonly got: Quartiles;
  /** `close`: the median misses it, the better quartile doesn't. */
  readonly verdict: 'met' | 'close' | 'missed';
}

const aims: readonly Aim[] = [
  reads('postgres', 'pg.Pool.query', 1.25),
  reads('postgres', 'pg.Pool named', 0.92),
  reads('mysql', 'mysql2 pool.execute', 0.92),
  reads('mariadb', 'mysql2 pool.execute', 0.92),
  {
    engine: 'sqlite',
    task: 'read',
    ours: 'db.query inline',
    theirs: 'better-sqlite3 cached',
    cpuAtMost: 2,
  },
  {
    engine: 'postgres',
    task: 'bulk',
    ours: 'db.bulkInsert',
    theirs: 'pg multi-row INSERT',
    speedAtLeast: 4,
  },
];

function reads(engine: Aim['engine'], theirs: string, speedAtLeast: number): Aim {
  return { engine, task: 'read', ours: 'db.query', theirs, speedAtLeast };
}

/** What the figures say to the aims that are about them. */
export function judge({ engine, task, callers, contenders }: Comparison): Verdict[] {
  return aims
    .filter((aim) => aim.engine === engine && aim.task === task)
    .flatMap((aim) => {
      const ours = contenders.find(({ name }) => name === aim.ours);
      const got = (aim.cpuAtMost === undefined ? ours?.speedTo : ours?.cpuTo)?.[aim.theirs];
      return got === undefined ? [] : [{ ...aim, callers, got, verdict: verdictOf(aim, got) }];
    });
}

function verdictOf({ speedAtLeast, cpuAtMost }: Aim, got: Quartiles): Verdict['verdict'] {
  const reaches = (value: number): boolean =>
    cpuAtMost === undefined ? value >= (speedAtLeast ?? 0) : value <= cpuAtMost;
  if (reaches(got.median)) return 'met';
  return reaches(cpuAtMost === undefined ? got.high : got.low) ? 'close' : 'missed';
}
