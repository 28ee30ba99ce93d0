import type { Driver, DriverConnection, NativeResult, NativeStatement } from '@dal/core';
import { isAsyncEnvironment } from '@dal/sync';
import { sqliteDriver } from '@dal/sqlite';

/**
 * SQLite, with statements that do to the worker thread what bugs and operators do. A COMMIT after
 * `DIE AT COMMIT` reaches SQLite or not, and then the thread is gone.
 */
export const driver: Driver = {
  ...(sqliteDriver as Driver),
  name: 'doomed',
  module: import.meta.url,
  connect: async (options, lost) => doomed(await (sqliteDriver as Driver).connect(options, lost)),
};

function doomed(connection: DriverConnection): DriverConnection {
  let atCommit: 'before' | 'after' | undefined;
  const query = connection.query.bind(connection);
  connection.query = async (statement: NativeStatement): Promise<NativeResult> => {
    switch (statement.text) {
      case 'EXIT':
        return process.exit(7);
      case 'THROW':
        setImmediate(() => {
          throw new Error('nobody catches this');
        });
        return never();
      case 'LOOP':
        for (;;);
      case 'EAT':
        return eat();
      case 'WAIT':
        return never();
      case 'WHERE':
        return rows({ async: isAsyncEnvironment() });
      case 'FUNCTION':
        return rows({ value: () => 1 });
      case 'DIE BEFORE COMMIT':
        atCommit = 'before';
        return rows({});
      case 'DIE AFTER COMMIT':
        atCommit = 'after';
        return rows({});
      case 'COMMIT':
        if (atCommit === undefined) return query(statement);
        if (atCommit === 'after') await query(statement);
        return process.exit(7);
      default:
        return query(statement);
    }
  };
  return connection;
}

function rows(row: object): NativeResult {
  return { rows: [row], columns: [], affectedRows: 0 };
}

function never(): Promise<NativeResult> {
  return new Promise(() => undefined);
}

function eat(): Promise<NativeResult> {
  const eaten: object[] = [];
  const bite = (): void => {
    for (let count = 0; count < 20_000; count++) eaten.push({ count, text: `number ${count}` });
    setTimeout(bite, 1);
  };
  bite();
  return never();
}
