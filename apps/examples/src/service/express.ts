import express, { type NextFunction, type Request, type Response } from 'express';
import type { Orders } from './orders.ts';
import { refusalFor } from './refusal.ts';
import { limitsOf, type Service, serviceOf, type ServiceOptions } from './service.ts';

/** The orders on Express. Errors of its handlers end in the last of them. */
export function serve(orders: Orders, options: ServiceOptions): Promise<Service> {
  const { port, requestTimeoutMs: timeoutMs } = options;
  const app = express();
  app.use(express.json({ limit: '16kb' }));
  app.get('/health', async (_request, response) => {
    const up = await orders.isHealthy();
    response.status(up ? 200 : 503).json({ status: up ? 'up' : 'down' });
  });
  app.get('/orders/:id', async ({ params }, response) => {
    response.json(await orders.one(params.id, limitsOf(response, timeoutMs)));
  });
  app.post('/orders', async ({ body }, response) => {
    response.status(201).json(await orders.place(body, limitsOf(response, timeoutMs)));
  });
  app.post('/orders/:id/pay', async ({ params }, response) => {
    response.json(await orders.pay(params.id, limitsOf(response, timeoutMs)));
  });
  // Express knows a handler of errors by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const { status, body } = refusalFor(error);
    response.status(status).json(body);
  });
  return serviceOf(app.listen(port, '127.0.0.1'));
}
