import {
  type Collection,
  createEntityManager,
  type Entity,
  type EntityManager,
  EntityNotFoundError,
  type EntityVersion,
} from '@dal/entity';
import type { Database } from '@dal/factory';
import type { z } from 'zod';
import { document, type DocumentChange, type DocumentInput } from './document.ts';

export type Document = Entity<z.output<typeof document>>;
export type DocumentVersion = EntityVersion<z.output<typeof document>>;

/** Who asks for a change, and why. */
export interface Author {
  readonly userId: string;
  readonly comment?: string;
  /** The version that the author has seen; another one is a conflict. */
  readonly expectedVersion?: number;
}

/** One line of the journal: who did what, to which document. */
export interface Action {
  readonly document: string;
  readonly documentVersion: number;
  readonly user: string;
  readonly what: string;
  readonly at: Date;
}

type Documents = Collection<'awaited', typeof document>;

export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/**
 * Documents that remember who changed them. Their versions come from the entity manager. The journal
 * is a type of its own, written in the transaction of the change it tells of: neither is there without
 * the other.
 */
export class AuditTrail {
  readonly #db: Database;
  readonly #em: EntityManager;

  private constructor(db: Database, em: EntityManager) {
    this.#db = db;
    this.#em = em;
  }

  /** Makes the tables first: MySQL and MariaDB can't make any inside a transaction. */
  static async open(db: Database): Promise<AuditTrail> {
    const em = createEntityManager(db, {
      types: {
        documents: { indexes: ['status'] },
        actions: { history: 'off', indexes: [['user', 'id'], 'document'] },
      },
    });
    await em.prepare('documents', { title: '', text: '', status: '', labels: [] });
    await em.prepare('actions', {
      document: '',
      documentVersion: 1,
      user: '',
      what: '',
      at: new Date(),
    });
    return new AuditTrail(db, em);
  }

  create(input: DocumentInput, author: Author): Promise<Document> {
    return this.#change('create', author, (documents) => documents.save(input, author));
  }

  update(id: string, fields: DocumentChange, author: Author): Promise<Document> {
    return this.#change('update', author, (documents) =>
      documents.updateFields(id, fields, author),
    );
  }

  remove(id: string, author: Author): Promise<Document> {
    return this.#change('delete', author, async (documents) => {
      if (!(await documents.delete(id, author))) throw missing(id);
      return documents.get(id, { includeDeleted: true });
    });
  }

  restore(id: string, author: Author): Promise<Document> {
    return this.#change('restore', author, async (documents) => {
      if (!(await documents.restore(id, author))) throw missing(id);
      return documents.get(id);
    });
  }

  rollBack(id: string, version: number, author: Author): Promise<Document> {
    return this.#change('rollback', author, (documents) =>
      documents.rollbackTo(id, version, author),
    );
  }

  async one(id: string): Promise<Document> {
    const found = await this.#documents().get(id);
    if (!found) throw missing(id);
    return found;
  }

  list(page: Page, status?: string): Promise<Document[]> {
    return this.#documents().find({ ...page, ...(status && { where: { status } }), orderBy: 'id' });
  }

  /** The newest first; of deleted documents too. */
  async versions(id: string, limit: number): Promise<DocumentVersion[]> {
    const versions = await this.#documents().history(id, { limit });
    if (versions.length === 0) throw missing(id);
    return versions;
  }

  async version(id: string, version: number): Promise<DocumentVersion> {
    const found = await this.#documents().version(id, version);
    if (!found) throw missing(`${id}, version ${version}`);
    return found;
  }

  /** What happened last, the newest first; of one user or of all. Ids sort by time. */
  actions(page: Page, user?: string): Promise<Entity<Action>[]> {
    return this.#em.find<Action>('actions', {
      ...page,
      ...(user && { where: { user } }),
      orderBy: [['id', 'desc']],
    });
  }

  #documents(verbs: Pick<EntityManager, 'collection'> = this.#em): Documents {
    return verbs.collection('documents', document);
  }

  /** A change and its line in the journal: both or neither. */
  #change(
    what: string,
    { userId }: Author,
    change: (documents: Documents) => Promise<Document | undefined>,
  ): Promise<Document> {
    return this.#db.transaction(
      async (tx) => {
        const em = this.#em.on(tx);
        const changed = await change(this.#documents(em));
        if (!changed) throw missing('of this change');
        const { id, version, updated_at } = changed;
        const action: Action = {
          document: id,
          documentVersion: version,
          user: userId,
          what,
          at: updated_at,
        };
        await em.save('actions', action);
        return changed;
      },
      { retries: 5, timeoutMs: '15s' },
    );
  }
}

function missing(what: string): EntityNotFoundError {
  return new EntityNotFoundError(`There is no document ${what}.`, { code: 'DAL_ENTITY_NOT_FOUND' });
}
