import { compare, type Comparison, type Measure } from './comparison.ts';
import type { Contender } from './contender.ts';
import { openStage, type Stage } from './engine-stage.ts';
import type { Arguments, CaseName, EngineName } from './read-arguments.ts';
import { interleave } from './rounds.ts';
import { checkRows, ROWS, visitor, wideVisitor } from './rows.ts';
import { slice } from './slice.ts';

const WARM_UP_SLICES = 4;

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
      const measure = (contender: Contender, ms: number): Promise<Measure> => {
        const call = (turn: number): unknown => run.call(contender, turn);
        return slice(contender.name, { call, isRight: run.isRight }, count, ms);
      };
      for (const contender of taking) await measure(contender, sliceMs * WARM_UP_SLICES);
      const budgetMs = 3 * rounds * taking.length * sliceMs;
      const measured = await interleave(taking, rounds, (one) => measure(one, sliceMs), budgetMs);
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
