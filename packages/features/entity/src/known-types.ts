import type { EntityType } from './entity-type.ts';

const MAX_TYPES = 1_000;

/**
 * Types that were read before, for all calls of a manager. What a transaction of the caller's has made
 * may be undone, so from then on it is kept apart, for that transaction alone.
 */
export class KnownTypes {
  readonly #outer: KnownTypes | undefined;
  readonly #types = new Map<string, EntityType>();
  #hasFieldsTable = false;
  #isApart = false;

  constructor(outer?: KnownTypes) {
    this.#outer = outer;
  }

  /** It may know of what a transaction has made. */
  get isApart(): boolean {
    return this.#isApart;
  }

  get hasFieldsTable(): boolean {
    return this.#hasFieldsTable || (this.#outer?.hasFieldsTable ?? false);
  }

  foundFieldsTable(): void {
    if (this.#outer && !this.#isApart) this.#outer.foundFieldsTable();
    else this.#hasFieldsTable = true;
  }

  get(name: string): EntityType | undefined {
    return this.#types.get(name) ?? this.#outer?.get(name);
  }

  keep(type: EntityType): void {
    if (this.#outer && !this.#isApart) {
      this.#outer.keep(type);
      return;
    }
    if (this.#types.size >= MAX_TYPES) this.#types.clear();
    this.#types.set(type.name, type);
  }

  /** From here on tables are made where these types are used. */
  keepApart(): void {
    this.#isApart = true;
  }

  /** Something was not as it was known to be. */
  forget(name: string): void {
    this.#types.delete(name);
    this.#hasFieldsTable = false;
    this.#outer?.forget(name);
  }
}
