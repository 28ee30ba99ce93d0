import type { Row } from '@dal/core';
import type { FieldKind } from './field-kind.ts';

/** What the manager keeps of every entity, beside the entity's own fields. */
export interface SystemFields {
  /** Text, at most 255 characters; sortable by time (UUID version 7) when it was generated. */
  readonly id: string;
  /** From 1, one more with every change: save, delete, restore, rollback. */
  readonly version: number;
  readonly created_at: Date;
  /** When this version was made. */
  readonly updated_at: Date;
  /** Null unless the entity is deleted. */
  readonly deleted_at: Date | null;
  readonly created_by: string | null;
  /** The `userId` of the call that made this version. */
  readonly updated_by: string | null;
}

/**
 * A whole entity, as it is stored: its system fields and every field that its type has. A field that
 * this entity never had is null, for the type has a column for it. Values arrive as they were saved:
 * text, number, bigint, boolean, Date, Buffer for bytes, lists and objects.
 */
export type Entity<F = Row> = SystemFields & Omit<F, keyof SystemFields>;

/** One version of an entity, with what was said of it. */
export type EntityVersion<F = Row> = Entity<F> & {
  readonly version_operation: Operation;
  /** The `comment` of the call that made this version. */
  readonly version_comment: string | null;
};

export type Operation = 'create' | 'update' | 'delete' | 'restore' | 'rollback';

/** What is known of one type. */
export interface EntitySchema {
  readonly name: string;
  /** The table of the entities as they are now; older versions are in `historyTable`. */
  readonly table: string;
  readonly historyTable: string;
  /** In the order of their names, without the system fields. */
  readonly fields: readonly { readonly name: string; readonly kind: FieldKind }[];
  /** Lists of fields that have an index together. */
  readonly indexes: readonly (readonly string[])[];
}
