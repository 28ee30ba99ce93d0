// A service on Express, Fastify or Hono: FRAMEWORK says which. Each request has a deadline, and what it
// asked of the database is stopped when its client goes away. On SIGTERM the requests that run are
// answered, then the database is closed, and the program ends with 0.
import { createDatabase, installShutdown } from '@dal/factory';
import { Orders } from './orders.ts';

const frameworks = {
  express: () => import('./express.ts'),
  fastify: () => import('./fastify.ts'),
  hono: () => import('./hono.ts'),
};

const {
  DATABASE_URL = 'sqlite:service.db',
  FRAMEWORK = 'express',
  PORT = '8080',
  REQUEST_TIMEOUT_MS = '2000',
} = process.env;
if (!isKnown(FRAMEWORK)) {
  throw new Error(`FRAMEWORK is one of ${Object.keys(frameworks).join(', ')}.`);
}
const { serve } = await frameworks[FRAMEWORK]();

const db = await createDatabase(DATABASE_URL, { name: 'orders', pool: { max: 5 } });
const service = await serve(await Orders.open(db), {
  port: Number(PORT),
  requestTimeoutMs: Number(REQUEST_TIMEOUT_MS),
});
installShutdown({ databases: [db], before: () => service.close(), timeoutMs: '10s' });
console.log(`${FRAMEWORK} listens on http://127.0.0.1:${service.port}`);

function isKnown(name: string): name is keyof typeof frameworks {
  return Object.hasOwn(frameworks, name);
}
