import {
  type Database,
  type MaintenanceMessage,
  QueryError,
  type Row,
  type SchemaOptions,
} from '@dal/core';
import { CatalogReader, catalogOf } from './schema.ts';

/**
 * Has the engine look after one table, outside of any transaction.
 *
 * @throws QueryError when there is no such table, when it may not be done, and when the engine says
 * in its answer that it failed
 */
export async function maintainTable(
  db: Database,
  op: MaintenanceMessage['op'],
  name: string,
  options: SchemaOptions,
): Promise<MaintenanceMessage[]> {
  const { schema, name: table, kind } = await new CatalogReader(db).find(op, name, options);
  const shown = `${schema}.${table}`;
  if (kind === 'view') {
    throw refusal(`"${shown}" is a view; only a table can be ${done[op]}.`, 'usage');
  }
  const { schema: _, ...statement } = options;
  const catalog = catalogOf(db);
  const question = catalog.mayMaintain?.({ schema, table });
  if (question && Number(await db.queryValue(question, statement)) !== 1) {
    throw refusal(
      `"${shown}" can be ${done[op]} by its owner only; the server would skip it without a word.`,
      'permission',
    );
  }
  const messages: MaintenanceMessage[] = [];
  for (const step of catalog[op]({ schema, table })) {
    for (const row of await db.query(step, statement)) messages.push(toMessage(row, shown, op));
  }
  const failure = messages.find(({ messageType }) => messageType === 'error');
  if (failure) throw refusal(`"${shown}" was not ${done[op]}: ${failure.messageText}`, 'unknown');
  if (messages.length > 0) return messages;
  return [{ table: shown, op, messageType: 'status', messageText: 'OK' }];
}

const done = { analyze: 'analyzed', optimize: 'optimized' } as const;

/** MySQL answers a failure too as a row. */
function toMessage(row: Row, shown: string, op: MaintenanceMessage['op']): MaintenanceMessage {
  const {
    Table: table = shown,
    Msg_type: messageType = 'status',
    Msg_text: messageText = 'OK',
  } = row;
  return {
    table: String(table),
    op,
    messageType: String(messageType).toLowerCase(),
    messageText: String(messageText),
  };
}

function refusal(message: string, kind: 'usage' | 'permission' | 'unknown'): QueryError {
  return new QueryError(message, { kind, code: 'DAL_TABLE_MAINTENANCE' });
}
