import type { Server } from 'node:http';
import { serve as listen } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Limits, Orders } from './orders.ts';
import { refusalFor } from './refusal.ts';
import { type Service, serviceOf, type ServiceOptions } from './service.ts';

/** The orders on Hono. The signal of the web's own Request fires when the client goes away. */
export function serve(orders: Orders, options: ServiceOptions): Promise<Service> {
  const { port, requestTimeoutMs: timeoutMs } = options;
  const app = new Hono();
  const limitsOf = ({ req }: Context): Limits => ({ timeoutMs, signal: req.raw.signal });

  app.use(bodyLimit({ maxSize: 16 * 1024 }));
  app.get('/health', async (context) => {
    const up = await orders.isHealthy();
    return context.json({ status: up ? 'up' : 'down' }, up ? 200 : 503);
  });
  app.get('/orders/:id', async (context) =>
    context.json(await orders.one(context.req.param('id'), limitsOf(context))),
  );
  app.post('/orders', async (context) => {
    const body: unknown = await context.req.json();
    return context.json(await orders.place(body, limitsOf(context)), 201);
  });
  app.post('/orders/:id/pay', async (context) =>
    context.json(await orders.pay(context.req.param('id'), limitsOf(context))),
  );
  app.onError((error) => {
    const { status, body } = refusalFor(error);
    return Response.json(body, { status });
  });
  return serviceOf(listen({ fetch: app.fetch, port, hostname: '127.0.0.1' }) as Server);
}
