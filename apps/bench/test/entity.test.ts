import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import type { EntityFigures } from '../src/entity/entity.ts';

const main = join(import.meta.dirname, '../src/main.ts');
const engine = inject('engines').find(({ name }) => name !== 'sqlite');

test.runIf(engine)(
  'entity measures every library at every verb, and all of them do it',
  { timeout: 120_000 },
  async () => {
    const given = 'entity --rounds 1 --slice-ms 2 --callers 3 --rows 120 --json --engine';
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@dal/source', main, ...given.split(' '), engine!.name],
      {
        env: {
          ...process.env,
          [`DAL_TEST_${engine!.name.toUpperCase()}_URL`]: engine!.url,
          NODE_OPTIONS: '',
        },
      },
    );
    const { comparisons, aims } = JSON.parse(stdout) as EntityFigures;
    expect(comparisons.map(({ task }) => task)).toEqual([
      'find',
      'get',
      'change',
      'save',
      'saveMany',
    ]);
    expect(aims).toHaveLength(5);
    for (const { task, contenders } of comparisons) {
      const names = contenders.map(({ name }) => name);
      expect(names[0]).toBe('DAL');
      for (const library of ['Sequelize', 'TypeORM', 'MikroORM', 'Prisma']) {
        expect(
          names.some((name) => name.startsWith(library)),
          `${task}: ${library}`,
        ).toBe(true);
      }
      for (const { name, perSecond, cpuUs } of contenders) {
        expect(perSecond.median, name).toBeGreaterThan(0);
        expect(cpuUs.median, name).toBeGreaterThan(0);
      }
      if (task === 'find' || task === 'get') continue;
      const keeping = contenders.filter(({ history }) => history !== 'nothing');
      expect(keeping.map(({ name }) => name)).toEqual(['DAL', 'Sequelize with history']);
    }
  },
);
