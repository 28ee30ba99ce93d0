import type { Operation } from '@dal/entity';

export interface ModelVersion {
  readonly version: number;
  readonly operation: Operation;
  readonly deleted: boolean;
  readonly userId: string | null;
  readonly comment: string | null;
  /** Without those that are null. */
  readonly fields: ReadonlyMap<string, unknown>;
}

interface Change {
  readonly operation: Operation;
  readonly deleted: boolean;
  readonly fields: ReadonlyMap<string, unknown>;
}

export interface Author {
  readonly userId?: string;
  readonly comment?: string;
}

/** What entities of one type have to be, by the promises of the verbs alone. */
export class EntityModel {
  readonly #entities = new Map<string, ModelVersion[]>();

  ids(): string[] {
    return [...this.#entities.keys()];
  }

  /** All versions, the oldest first. */
  versions(id: string): readonly ModelVersion[] {
    return this.#entities.get(id) ?? [];
  }

  current(id: string): ModelVersion | undefined {
    return this.#entities.get(id)?.at(-1);
  }

  alive(): [id: string, current: ModelVersion][] {
    const all = [...this.#entities].map(
      ([id, list]) => [id, list.at(-1)!] as [string, ModelVersion],
    );
    return all.filter(([, { deleted }]) => !deleted);
  }

  save(id: string, given: Readonly<Record<string, unknown>>, author: Author): ModelVersion {
    const now = this.current(id);
    const fields = new Map(now?.fields);
    for (const [name, value] of Object.entries(given)) {
      if (value === null) fields.delete(name);
      else if (value !== undefined) fields.set(name, value);
    }
    const operation = now ? 'update' : 'create';
    return this.#add(id, { operation, deleted: now?.deleted ?? false, fields }, author);
  }

  delete(id: string, author: Author): boolean {
    const now = this.current(id);
    if (!now || now.deleted) return false;
    this.#add(id, { operation: 'delete', deleted: true, fields: now.fields }, author);
    return true;
  }

  erase(id: string): boolean {
    return this.#entities.delete(id);
  }

  restore(id: string, author: Author): boolean {
    const now = this.current(id);
    if (!now?.deleted) return false;
    this.#add(id, { operation: 'restore', deleted: false, fields: now.fields }, author);
    return true;
  }

  rollbackTo(id: string, version: number, author: Author): ModelVersion | undefined {
    const old = this.versions(id).find((one) => one.version === version);
    if (!old) return undefined;
    const { fields, deleted } = old;
    return this.#add(id, { operation: 'rollback', deleted, fields }, author);
  }

  #add(
    id: string,
    change: Change,
    { userId = null, comment = null }: Partial<Record<keyof Author, string | null>>,
  ): ModelVersion {
    const list = this.#entities.get(id) ?? [];
    const added = { ...change, version: list.length + 1, userId, comment };
    this.#entities.set(id, [...list, added]);
    return added;
  }
}
