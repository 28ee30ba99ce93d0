import type { Knex } from 'knex';
import type { Kysely } from 'kysely';
import type { Contender, Tables } from './contender.ts';
import { NARROW, type Visitor, WIDE, type WideVisitor } from './rows.ts';

/** Query builders as their pages show them; both stand on the engine's own library. */
export function kyselyContender(
  kysely: Kysely<Record<string, WideVisitor & { who: number }>>,
  tables: Tables,
): Contender {
  return {
    name: 'kysely',
    side: 'rival',
    read: (id) =>
      kysely.selectFrom(tables.visitors).select(NARROW).where('id', '=', id).executeTakeFirst(),
    insert: (who, row) =>
      kysely
        .insertInto(tables.inserts)
        .values({ who, ...row } as never)
        .execute(),
    thousand: () => kysely.selectFrom(tables.wide).select(WIDE).orderBy('id').execute(),
    bulk: (rows) =>
      kysely.transaction().execute(async (transaction) => {
        for (const part of parts(rows)) {
          await transaction
            .insertInto(tables.bulk)
            .values(part as never)
            .execute();
        }
      }),
  };
}

export function knexContender(knex: Knex, tables: Tables): Contender {
  return {
    name: 'knex',
    side: 'rival',
    read: (id) => knex(tables.visitors).select(NARROW).where({ id }).first(),
    insert: (who, row) => knex(tables.inserts).insert({ who, ...row }),
    thousand: () => knex(tables.wide).select(WIDE).orderBy('id'),
    // 1,000 rows of four columns stay below every engine's number of parameters.
    bulk: (rows) => knex.batchInsert(tables.bulk, [...rows], 1_000),
  };
}

/** What people take for one INSERT: a thousand rows. */
export function* parts(rows: readonly Visitor[], size = 1_000): Generator<readonly Visitor[]> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}
