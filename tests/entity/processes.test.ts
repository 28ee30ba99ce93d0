import { sql } from '@dal/core';
import { createEntityManager, type EntityManager } from '@dal/entity';
import { createDatabase, type Database } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { SeededRandom } from '../setup/seeded-random.ts';
import { type OwnDatabase, ownDatabase } from './own-database.ts';
import { SavingTeam } from './saving-team.ts';

const PROGRAMS = 8;
const SAVES = Number(process.env['ENTITY_SAVES'] ?? 200);
/** How often a round of programs is killed. */
const KILLS = Number(process.env['ENTITY_KILLS'] ?? 1);
const seed = Number(process.env['ENTITY_SEED'] ?? 20_261_121);

describe.each(inject('engines'))('$name', ({ name, url }) => {
  let own: OwnDatabase;
  let db: Database;
  let em: EntityManager;
  let team: SavingTeam;

  beforeAll(async () => {
    own = await ownDatabase({ name, url }, 'processes');
    // Only looks at what the programs did: counted by SQL, in a session of its own.
    db = await createDatabase(own.url, { pool: { max: 1 } });
    em = createEntityManager(db);
    team = await SavingTeam.start(own.url, PROGRAMS);
  });
  afterAll(async () => {
    await team[Symbol.asyncDispose]();
    await db.close();
    await own[Symbol.asyncDispose]();
  });

  const tablesOf = async (type: string) => {
    const schema = await em.schema(type);
    return { table: sql.id(schema?.table ?? ''), history: sql.id(schema?.historyTable ?? '') };
  };

  test(
    `${PROGRAMS} programs save the same entity ${SAVES} times each: as many versions, no gap, no double`,
    { timeout: 120_000 },
    async () => {
      const told = (await team.run<number[]>('sameEntity', SAVES)).flat();
      const total = PROGRAMS * SAVES;
      const every = Array.from({ length: total }, (_, at) => at + 1);
      expect(told.toSorted((a, b) => a - b)).toEqual(every);
      const { table, history } = await tablesOf('shared');
      const kept = await db.query<{ version: unknown }>(
        sql`SELECT version FROM ${history} UNION ALL SELECT version FROM ${table} ORDER BY version`,
      );
      expect(kept.map(({ version }) => Number(version))).toEqual(every);
      const row = await db.queryExactlyOne(sql`SELECT * FROM ${table}`);
      expect(Number(row['version'])).toBe(total);
      // No program's field was lost under the save of another.
      for (let index = 0; index < PROGRAMS; index++) expect(row[`by${index}`]).toBe(SAVES);
    },
  );

  test(
    `${PROGRAMS} programs grow a type that was not there: every column and every value is there`,
    { timeout: 60_000 },
    async () => {
      const count = 4;
      await team.run('ownFields', count);
      const { table } = await tablesOf('fresh');
      const columns = (await db.schema.columns(table.names[0] ?? '')).map((column) => column.name);
      const rows = await db.query(sql`SELECT * FROM ${table} ORDER BY id`);
      expect(rows).toHaveLength(PROGRAMS * count);
      for (let index = 0; index < PROGRAMS; index++) {
        for (let n = 0; n < count; n++) {
          expect(columns).toContain(`only${index}_${n}`);
          const row = rows.find(({ id }) => id === `p${index}-${n}`);
          expect(row).toMatchObject({ all: n, [`only${index}_${n}`]: `${index}/${n}` });
        }
      }
      const fields = (await em.schema('fresh'))?.fields.map((field) => field.name) ?? [];
      expect(columns).toEqual(expect.arrayContaining(fields));
      expect(fields).toHaveLength(PROGRAMS * count + 1);
    },
  );

  test('a new field that two sides take for different kinds: one side is refused, in words', async () => {
    const results = await team.run<string>('contested');
    const odd = results.filter((_, index) => index % 2);
    const even = results.filter((_, index) => index % 2 === 0);
    const [kind] = (await em.schema('contested'))?.fields.map((field) => field.kind) ?? [];
    const half = PROGRAMS / 2;
    expect(odd).toEqual(
      Array.from({ length: half }, () => (kind === 'number' ? 'saved' : 'refused')),
    );
    expect(even).toEqual(
      Array.from({ length: half }, () => (kind === 'text' ? 'saved' : 'refused')),
    );
    expect(await em.count('contested')).toBe(half);
  });

  test(
    'programs killed amid saves leave row and history in agreement, and no half of a saveMany',
    { timeout: 20_000 * KILLS },
    async () => {
      const random = new SeededRandom(seed);
      await em.prepare('killed', { n: 1, text: '', batch: '' });
      const { table, history } = await tablesOf('killed');
      for (let round = 0; round < KILLS; round++) {
        await using killed = await SavingTeam.start(own.url, 3);
        await killed.runAndKill('untilKilled', () => random.between(1, 120));
        // The row is the newest version, the history has all before it.
        // One statement: what a server still finishes for a dead program comes wholly or not at all.
        const wrong = await db.query(sql`
          SELECT e.id, e.version, h.versions, h.last FROM ${table} e LEFT JOIN (
            SELECT id, COUNT(DISTINCT version) AS versions, MAX(version) AS last
            FROM ${history} GROUP BY id
          ) h ON h.id = e.id
          WHERE COALESCE(h.versions, 0) <> e.version - 1 OR COALESCE(h.last, 0) <> e.version - 1`);
        expect(wrong, `round ${round}`).toEqual([]);
        const orphans = await db.query(
          sql`SELECT id FROM ${history} WHERE id NOT IN (SELECT id FROM ${table})`,
        );
        expect(orphans, `round ${round}`).toEqual([]);
        const halves = await db.query(sql`
          SELECT batch, COUNT(*) AS parts FROM ${table}
          WHERE batch IS NOT NULL GROUP BY batch HAVING COUNT(*) <> ${20}`);
        expect(halves, `round ${round}`).toEqual([]);
      }
      for (const id of ['k0', 'k1', 'k2']) {
        const [newest] = await em.history('killed', id);
        const { version_operation: _, version_comment: __, ...last } = newest!;
        expect(await em.get('killed', id, { includeDeleted: true })).toEqual(last);
      }
      // Who comes after finds nothing locked.
      const { version } = (await em.get('killed', 'k0', { includeDeleted: true }))!;
      expect(await em.save('killed', { id: 'k0', n: -1 })).toMatchObject({ version: version + 1 });
    },
  );
});
