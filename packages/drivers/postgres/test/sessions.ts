import { afterEach, expect, inject } from 'vitest';
import { type PostgresConfig, postgresDriver } from '../src/index.ts';

export type Session = Awaited<ReturnType<typeof postgresDriver.connect>>;

/** The server that all tests share. */
export const url: string = inject('engines').find((engine) => engine.name === 'postgres')!.url;

const open: Session[] = [];

afterEach(async () => {
  await Promise.all(open.map((session) => session.close()));
  open.length = 0;
});

/** Opens a session, which is closed after the test. */
export async function openSession(options: PostgresConfig = {}): Promise<Session> {
  const config = postgresDriver.configure!({ url, ...options });
  const session = await postgresDriver.connect(config, () => undefined);
  open.push(session);
  return session;
}

export async function rowsOf(
  session: Session,
  text: string,
  values: unknown[] = [],
): Promise<unknown[]> {
  return (await session.query({ text, values, rowMode: 'array' })).rows;
}

export async function faultOf(
  work: Promise<unknown>,
): Promise<ReturnType<typeof postgresDriver.classify>> {
  try {
    await work;
  } catch (error) {
    return postgresDriver.classify(error);
  }
  return expect.fail('it worked');
}
