import type { Database } from '@dal/core';
import type { Server } from '@dal/testing/servers';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';

const USER = 'dal_outage';

/** The server from its own side: its sessions and the user whose they are. */
export class SessionAdmin {
  readonly #server: Server;
  readonly #db: Database;
  #password = 'first-password';

  constructor(server: Server, db: Database) {
    this.#server = server;
    this.#db = db;
  }

  get password(): string {
    return this.#password;
  }

  /** A user who may do with the tables what it likes, and has no place reserved. */
  async makeUser(): Promise<void> {
    if (this.#isPostgres) {
      await this.#db.execute(`CREATE ROLE ${USER} LOGIN PASSWORD '${this.#password}'`);
      await this.#db.execute(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${USER}`);
      return;
    }
    await this.#db.execute(`CREATE USER ${USER}@'%' IDENTIFIED BY '${this.#password}'`);
    await this.#db.execute(`GRANT ALL ON ${this.#server.database}.* TO ${USER}@'%'`);
  }

  /** The address of that user. */
  urlOf(url: string): string {
    const changed = new URL(url);
    changed.username = USER;
    changed.password = this.#password;
    return changed.href;
  }

  async killAll(): Promise<void> {
    if (this.#isPostgres) {
      await this.#db.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ?',
        [USER],
      );
      return;
    }
    await this.#kill('SELECT id FROM information_schema.processlist WHERE user = ?');
  }

  async killInTransaction(): Promise<void> {
    if (this.#isPostgres) {
      await this.#db.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ? AND state = 'idle in transaction'",
        [USER],
      );
      return;
    }
    await this.#kill(
      'SELECT p.id FROM information_schema.processlist p JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.id WHERE p.user = ?',
    );
  }

  /** For all sessions to come; those that are open stay. */
  async rotatePassword(): Promise<string> {
    this.#password = `${this.#password}-and-on`;
    await this.#db.execute(
      this.#isPostgres
        ? `ALTER ROLE ${USER} PASSWORD '${this.#password}'`
        : `ALTER USER ${USER}@'%' IDENTIFIED BY '${this.#password}'`,
    );
    return this.#password;
  }

  /** Connects until the server refuses. Answers how to give the places back. */
  async takeAllPlaces(): Promise<() => Promise<void>> {
    const taken: { end(): Promise<void> }[] = [];
    for (;;) {
      try {
        taken.push(await this.#open());
      } catch {
        return async () => {
          await Promise.all(taken.map((one) => one.end()));
        };
      }
    }
  }

  async #open(): Promise<{ end(): Promise<void> }> {
    const url = this.urlOf(this.#server.url);
    if (!this.#isPostgres) return createConnection(url.replace(/^mariadb:/, 'mysql:'));
    const client = new Client(url);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  get #isPostgres(): boolean {
    return this.#server.kind === 'postgres';
  }

  async #kill(text: string): Promise<void> {
    const rows = await this.#db.query<{ id: number }>(text, [USER]);
    for (const { id } of rows) {
      // It may have ended by itself meanwhile.
      await this.#db.query(`KILL ${id}`).catch(() => undefined);
    }
  }
}
