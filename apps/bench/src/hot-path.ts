import { compare, type Comparison, type Measure } from './comparison.ts';
import type { Contender } from './contender.ts';
import { openStage, type Stage } from './engine-stage.ts';
import type { Arguments, CaseName, EngineName } from './read-arguments.ts';
import { interleave } from './rounds.ts';
import { checkRows, ROWS, visitor, wideVisitor } from './rows.ts';

const WARM_UP_SLICES = 4;
/** Never begins again, so that in time every row is asked for. */
let nextTurn = 0;

/** Short statements: by themselves, with twenty callers, and with more than the pool has sessions. */
export async function* hotPath(
  engine: EngineName,
  { cases, callers, rounds, sliceMs }: Arguments,
): AsyncGenerator<Comparison> {
  await using stage = await openStage(engine, ['visitors', 'wide', 'inserts']);
  const { versions } = stage;
  for (const task of cases) {
    const taking = stage.contenders.filter((contender) => contender[task]);
    for (const contender of taking) await checkFirst(stage, contender, task);
    for (const count of callers) {
      const run = runOf(task, taking);
      const slice = (contender: Contender, ms: number): Promise<Measure> =>
        measure(contender, run, count, ms);
      for (const contender of taking) await slice(contender, sliceMs * WARM_UP_SLICES);
      const budgetMs = 3 * rounds * taking.length * sliceMs;
      const measured = await interleave(taking, rounds, (one) => slice(one, sliceMs), budgetMs);
      await run.checkLast?.(stage);
      yield compare({ engine, versions, task, callers: count }, measured);
    }
  }
}

/** One call, and whether its answer is the right one. */
interface Run {
  readonly call: (contender: Contender, turn: number) => unknown;
  readonly isRight: (answer: unknown, turn: number) => boolean;
  /** What only the database can tell. */
  readonly checkLast?: (stage: Stage) => Promise<void>;
}

function runOf(task: CaseName, contenders: readonly Contender[]): Run {
  if (task === 'insert') return insertRun(contenders);
  if (task === 'thousand') {
    return {
      call: (contender) => contender.thousand!(),
      isRight: (rows) =>
        Array.isArray(rows) && rows.length === ROWS && (rows[ROWS - 1] as Row).id === ROWS,
    };
  }
  return {
    call: (contender, turn) => contender.read!((turn % ROWS) + 1),
    isRight: (row, turn) => (row as Row | undefined)?.id === (turn % ROWS) + 1,
  };
}

type Row = { readonly id?: unknown };

function insertRun(contenders: readonly Contender[]): Run {
  const made = contenders.map(() => 0);
  return {
    call(contender) {
      const who = contenders.indexOf(contender);
      made[who]!++;
      return contender.insert!(who, visitor(made[who]!));
    },
    isRight: () => true,
    async checkLast({ db, tables, clear }) {
      const counts = await db.query<{ who: number; rows_made: number }>(
        `SELECT who, COUNT(DISTINCT id) AS rows_made FROM ${tables.inserts} GROUP BY who`,
      );
      for (const [who, { name }] of contenders.entries()) {
        const found = counts.find((row) => row.who === who)?.rows_made ?? 0;
        if (found !== made[who]) {
          throw new Error(`${name} was told of ${made[who]} inserts; the table has ${found}.`);
        }
      }
      await clear(tables.inserts);
    },
  };
}

/** The whole answer, before anything is measured. */
async function checkFirst(stage: Stage, contender: Contender, task: CaseName): Promise<void> {
  const who = `${contender.name} (${task})`;
  if (task === 'read') {
    for (const id of [1, ROWS]) checkRows(who, [await contender.read!(id)], [visitor(id)]);
  } else if (task === 'thousand') {
    const expected = Array.from({ length: ROWS }, (_, at) => wideVisitor(at + 1, stage.moments));
    checkRows(who, await contender.thousand!(), expected);
  } else {
    await contender.insert!(0, visitor(77));
    const { db, tables, clear } = stage;
    const found = await db.query(`SELECT id, name, email, visits FROM ${tables.inserts}`);
    checkRows(who, found, [visitor(77)]);
    await clear(tables.inserts);
  }
}

async function measure(
  contender: Contender,
  { call, isRight }: Run,
  callers: number,
  ms: number,
): Promise<Measure> {
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const ends = began + ms;
  let calls = 0;
  const callOn = async (): Promise<void> => {
    while (performance.now() < ends) {
      const turn = nextTurn++;
      const given = call(contender, turn);
      const answer = isThenable(given) ? await given : given;
      if (!isRight(answer, turn)) throw new Error(`${contender.name} answered something else.`);
      calls++;
    }
  };
  // Everybody ends before an error does, so that nothing is left running.
  const ended = await Promise.allSettled(Array.from({ length: callers }, callOn));
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  const tookMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: (calls * 1_000) / tookMs, cpuUs: (user + system) / calls };
}

/** Knex and postgres.js have promises of their own. */
function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as { then?: unknown } | undefined)?.then === 'function';
}
