import { STATUS_CODES } from 'node:http';
import { isDalError } from '@dal/factory';
import { z } from 'zod';
import { OrderNotFoundError } from './orders.ts';

export interface Refusal {
  readonly status: number;
  readonly body: { readonly error: string };
}

/** Kinds of errors, which are the same on every engine. */
const statuses: Partial<Record<string, number>> = {
  unique: 409,
  foreignKey: 409,
  notNull: 422,
  check: 422,
  data: 422,
  // Retries are used up, or there is no connection now: the same request may succeed later.
  deadlock: 503,
  serialization: 503,
  lockTimeout: 503,
  connection: 503,
  overloaded: 503,
  notReady: 503,
  readOnly: 503,
  resource: 503,
  statementTimeout: 504,
  // Nobody reads this one.
  cancelled: 499,
};

/** What a client is told. Never the words of a database's error: they are for the log. */
export function refusalFor(error: unknown): Refusal {
  if (error instanceof OrderNotFoundError) return refuse(404, error.message);
  if (error instanceof z.ZodError) return refuse(422, z.prettifyError(error));
  if (isDalError(error)) {
    const status = statuses[error.kind] ?? 500;
    if (status >= 500) console.error(`${error.code}: ${error.message}`);
    return refuse(status, error.kind);
  }
  if (error instanceof SyntaxError) return refuse(400, 'The body is not JSON.');
  const status = ownStatus(error);
  if (status !== undefined) return refuse(status, STATUS_CODES[status] ?? 'refused');
  console.error(error);
  return refuse(500, 'unexpected');
}

function refuse(status: number, error: string): Refusal {
  return { status, body: { error } };
}

/** What the framework itself refused, such as a body that is too large. */
function ownStatus(error: unknown): number | undefined {
  const { statusCode, status } = error as { statusCode?: number; status?: number };
  const own = statusCode ?? status ?? 500;
  return own >= 400 && own < 500 ? own : undefined;
}
