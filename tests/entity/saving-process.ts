// Started by processes.test.ts: one of several programs that save into the same database. It does the
// tasks that it is sent, until it is left alone.
import { once } from 'node:events';
import { createEntityManager, type EntityManager, EntityTypeError } from '@dal/entity';
import { createDatabase } from '@dal/factory';

export interface Job {
  readonly task: keyof typeof tasks;
  /** Which of the programs this is, from 0. */
  readonly index: number;
  readonly count: number;
}

const tasks = {
  /** The same entity, `count` times; each program counts in a field of its own. */
  async sameEntity(em: EntityManager, { index, count }: Job): Promise<unknown> {
    const versions: number[] = [];
    for (let n = 1; n <= count; n++) {
      const saved = await em.save('shared', { id: 'one', [`by${index}`]: n });
      versions.push(saved.version);
    }
    return versions;
  },

  /** Entities of a type that nobody made, with fields that nobody else has. */
  async ownFields(em: EntityManager, { index, count }: Job): Promise<void> {
    for (let n = 0; n < count; n++) {
      await em.save('fresh', {
        id: `p${index}-${n}`,
        all: n,
        [`only${index}_${n}`]: `${index}/${n}`,
      });
    }
  },

  /** One new field, which half of the programs take for a number, and the others for text. */
  async contested(em: EntityManager, { index }: Job): Promise<unknown> {
    try {
      await em.save('contested', { id: `p${index}`, field: index % 2 ? index : `text ${index}` });
      return 'saved';
    } catch (error) {
      if (error instanceof EntityTypeError) return 'refused';
      throw error;
    }
  },

  /** Saves, deletes, restores and rolls back, one and many, until it is killed. */
  async untilKilled(em: EntityManager, { index }: Job): Promise<unknown> {
    for (let n = 1; ; n++) {
      const id = `k${n % 3}`;
      await em.save('killed', { id, n, text: `version by ${index}` });
      if (n === 3) process.send?.('under way');
      const batch = `${process.pid}-${n}`;
      await em.saveMany(
        'killed',
        Array.from({ length: 20 }, (_, at) => ({ id: `${batch}-${at}`, n: at, batch })),
      );
      if (n % 3 === 0) await em.rollbackTo('killed', id, 1);
      if (n % 4 === 0) await em.delete('killed', id);
      if (n % 4 === 0) await em.restore('killed', id);
    }
  },
};

async function main(): Promise<void> {
  await using db = await createDatabase(process.argv[2] ?? '', { pool: { max: 1 } });
  const em = createEntityManager(db);
  await db.connect();
  const told = new Promise((_, refuse) => {
    process.on('message', (job: Job) => {
      tasks[job.task](em, job).then((result) => process.send?.({ result }), refuse);
    });
  });
  const alone = once(process, 'disconnect');
  process.send?.('ready');
  await Promise.race([told, alone]);
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error);
    process.exit(70);
  },
);
