import fastify from 'fastify';
import type { Orders } from './orders.ts';
import { refusalFor } from './refusal.ts';
import { limitsOf, type Service, serviceOf, type ServiceOptions } from './service.ts';

type WithId = { Params: { id: string } };

/** The orders on Fastify. */
export async function serve(orders: Orders, options: ServiceOptions): Promise<Service> {
  const { port, requestTimeoutMs: timeoutMs } = options;
  const app = fastify({ bodyLimit: 16 * 1024 });

  app.get('/health', async (_request, reply) => {
    const up = await orders.isHealthy();
    return reply.code(up ? 200 : 503).send({ status: up ? 'up' : 'down' });
  });
  app.get<WithId>('/orders/:id', (request, { raw }) =>
    orders.one(request.params.id, limitsOf(raw, timeoutMs)),
  );
  app.post('/orders', async (request, reply) => {
    const placed = await orders.place(request.body, limitsOf(reply.raw, timeoutMs));
    return reply.code(201).send(placed);
  });
  app.post<WithId>('/orders/:id/pay', (request, { raw }) =>
    orders.pay(request.params.id, limitsOf(raw, timeoutMs)),
  );
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = refusalFor(error);
    return reply.code(status).send(body);
  });
  await app.listen({ port, host: '127.0.0.1' });
  return serviceOf(app.server, () => app.close());
}
