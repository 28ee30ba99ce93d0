import type { Connection } from '@dal/core';
import { adapterError } from './adapter-error.ts';
import type { Transaction } from './driver-adapter.ts';
import { QueryableAdapter } from './queryable-adapter.ts';

/** A transaction on a connection that it gives back at its end. */
export class TransactionAdapter extends QueryableAdapter<Connection> implements Transaction {
  /** COMMIT and ROLLBACK are not sent as texts: a COMMIT whose answer is lost has to be looked into. */
  readonly options = { usePhantomQuery: true };

  commit(): Promise<void> {
    return this.#end(() => this.on.commit());
  }

  rollback(): Promise<void> {
    return this.#end(() => this.on.rollback());
  }

  createSavepoint(name: string): Promise<void> {
    return this.#say(`SAVEPOINT ${name}`);
  }

  rollbackToSavepoint(name: string): Promise<void> {
    return this.#say(`ROLLBACK TO SAVEPOINT ${name}`);
  }

  releaseSavepoint(name: string): Promise<void> {
    return this.#say(`RELEASE SAVEPOINT ${name}`);
  }

  #end(end: () => Promise<void>): Promise<void> {
    return adapterError(this.engine, async () => {
      await using _connection = this.on;
      await end();
    });
  }

  async #say(text: string): Promise<void> {
    await adapterError(this.engine, () => this.on.execute(text));
  }
}
