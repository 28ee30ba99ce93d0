import { createDatabase, poolRegistry, withConfig } from '@dal/factory';
import { afterEach, expect, inject, test, vi } from 'vitest';

const engines = inject('engines');

afterEach(() => {
  vi.unstubAllEnvs();
});

test('parallel requests reach the database of their own, and never another', async () => {
  const [first, second = first] = engines.filter(({ name }) => name !== 'sqlite');
  if (!first || !second) return;
  vi.stubEnv('DATABASE_URL', first.url);
  const tenants = [
    { overrides: { name: 'one', tags: { tenant: 'one' } }, flavor: first.name },
    { overrides: { name: 'two', url: second.url }, flavor: second.name },
  ];
  const request = (tenant: (typeof tenants)[number]): Promise<string[]> =>
    withConfig(tenant.overrides, async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      await using db = await createDatabase();
      const { flavor } = await db.version();
      return [db.name, flavor];
    });
  const requests = Array.from({ length: 40 }, (_, index) => tenants[index % 2] ?? tenants[0]!);
  const answers = await Promise.all(requests.map(request));
  expect(answers).toEqual(requests.map(({ overrides, flavor }) => [overrides.name, flavor]));
  expect(poolRegistry.status()).toEqual([]);
});
