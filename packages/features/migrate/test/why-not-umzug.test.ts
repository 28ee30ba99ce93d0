// Why running is the package's own code and not umzug 3.8 or postgrator 8. What is left of them
// beside what they lack is a loop over names. Should a test fail one day, umzug is worth another look.
import { Umzug, type UmzugStorage } from 'umzug';
import { expect, test } from 'vitest';

/** A history in memory, and a database that remembers what was done to it. */
function stage(log: (name: string) => void) {
  const executed: string[] = [];
  const done: string[] = [];
  const storage: UmzugStorage = {
    executed: () => Promise.resolve([...executed]),
    logMigration({ name }) {
      log(name);
      executed.push(name);
      return Promise.resolve();
    },
    unlogMigration: () => Promise.resolve(),
  };
  const umzug = (text = 'first'): Umzug =>
    new Umzug({
      migrations: [
        {
          name: '1_a',
          up: async () => {
            await new Promise((resolve) => setTimeout(resolve, 20));
            done.push(text);
          },
        },
      ],
      storage,
      logger: undefined,
    });
  return { umzug, done };
}

test('umzug writes the history when the migration is over: no transaction can hold both', async () => {
  const { umzug, done } = stage(() => {
    throw new Error('the process ends here');
  });
  await expect(umzug().up()).rejects.toThrow(/the process ends here/);
  await expect(umzug().up()).rejects.toThrow(/the process ends here/);
  expect(done).toEqual(['first', 'first']);
});

test('umzug has no lock: two at once both run the migration', async () => {
  const { umzug, done } = stage(() => undefined);
  await Promise.all([umzug().up(), umzug().up()]);
  expect(done).toHaveLength(2);
});

test('umzug knows names alone: a migration that was changed after it ran goes unnoticed', async () => {
  const { umzug, done } = stage(() => undefined);
  await umzug().up();
  expect(await umzug('changed').up()).toEqual([]);
  expect(done).toEqual(['first']);
});
