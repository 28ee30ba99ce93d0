import { type DalError, isDalError, libraryError } from '@dal/core';
import { DriverAdapterError, type ErrorPayload } from './driver-adapter.ts';
import type { Engine } from './engine.ts';

/**
 * Runs work of the layer; its errors become Prisma's. What the server judged is told in the server's
 * words; of the layer's own errors those that Prisma has a code for. All others stay what they are, and
 * the client throws them unchanged.
 */
export async function adapterError<T>(engine: Engine, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const payload = payloadOf(engine, error);
    if (!payload) throw error;
    throw new DriverAdapterError(payload);
  }
}

function payloadOf(engine: Engine, error: unknown): ErrorPayload | undefined {
  const judged = libraryError(error);
  if (isDalError(judged)) return ofLayer(judged);
  return typeof judged === 'object' && judged !== null ? engine.describeError(judged) : undefined;
}

function ofLayer(error: DalError): ErrorPayload | undefined {
  const { kind, fault, message, code } = error;
  // "The server has closed the connection" would hide that the transaction may be in the database.
  if (code.startsWith('DAL_COMMIT_')) return undefined;
  const original = { originalCode: fault?.code ?? code, originalMessage: message };
  switch (kind) {
    case 'statementTimeout':
    case 'lockTimeout':
      return { kind: 'SocketTimeout', ...original };
    case 'overloaded':
      return { kind: 'TooManyConnections', cause: message, ...original };
    case 'deadlock':
    case 'serialization':
      return { kind: 'TransactionWriteConflict', ...original };
    case 'authentication':
      return { kind: 'AuthenticationFailed', ...original };
    case 'connection':
    case 'notReady':
      return fault?.applied === 'unknown'
        ? { kind: 'ConnectionClosed', ...original }
        : { kind: 'DatabaseNotReachable', ...original };
    default:
      return undefined;
  }
}
