import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';

const sleeping = {
  postgres: {
    sleep: 'SELECT pg_sleep(2)',
    running:
      "SELECT query FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)%' AND pid <> pg_backend_pid()",
  },
  mysql: {
    sleep: 'SELECT sleep(2)',
    running:
      "SELECT info FROM information_schema.processlist WHERE info LIKE '%sleep(2)%' AND id <> connection_id()",
  },
};
const servers = inject('engines').flatMap((engine) => {
  if (engine.name === 'sqlite') return [];
  return [{ ...engine, ...sleeping[engine.name === 'postgres' ? 'postgres' : 'mysql'] }];
});

test.each(servers)(
  '$name: tags reach the server as one comment, whatever is in them',
  async (server) => {
    await using db = await createDatabase(server.url, { tags: { app: 'shop' } });
    await using watcher = await createDatabase(server.url);
    const tags = { route: "*/ DROP TABLE users; --'", user: 7 };
    const running = db.query(server.sleep, [], { tags });
    const seen = async (): Promise<string | undefined> =>
      watcher.queryValue<string>(server.running);
    await expect
      .poll(seen, { timeout: 1_900, interval: 50 })
      .toBe(
        `${server.sleep} /*app='shop',route='%2A%2F%20DROP%20TABLE%20users%3B%20--%27',user='7'*/`,
      );
    await running;
  },
);

test.each(servers)('$name: tags may be written plainly', async (server) => {
  await using db = await createDatabase(server.url, { tagFormat: 'plain' });
  await using watcher = await createDatabase(server.url);
  const running = db.query(server.sleep, [], { tags: { request_id: 'abc123' } });
  await expect
    .poll(() => watcher.queryValue<string>(server.running), { timeout: 1_900, interval: 50 })
    .toBe(`${server.sleep} /* request_id=abc123 */`);
  await running;
});
