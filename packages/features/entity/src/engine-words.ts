import {
  type ColumnTypes,
  type Dialect,
  type IdentifierRules,
  quoteIdentifier,
  type UpsertWords,
} from '@dal/core';
import type { FieldKind } from './field-kind.ts';

/** What entities need of an engine's SQL, with a default for what its dialect leaves open. */
export interface EngineWords {
  readonly dialect: Dialect;
  readonly quote: (name: string) => string;
  readonly columnType: (kind: FieldKind) => string;
  readonly keyType: string;
  readonly rowLock: string;
  readonly returning: string;
  readonly upsert: UpsertWords | undefined;
  readonly identifiers: IdentifierRules;
  /** A text as SQL, for statements that are shown. */
  readonly literal: (text: string) => string;
}

export function engineWords(dialect: Dialect): EngineWords {
  const exact = dialect.exactTypes ?? dialect.types;
  return {
    dialect,
    quote: (name) => quoteIdentifier(name, dialect),
    columnType: (kind) => (kind === 'text' ? exact.text : dialect.types[typeNames[kind]]),
    keyType: exact.key,
    rowLock: dialect.rowLock ?? '',
    returning: dialect.returning ? ' RETURNING *' : '',
    upsert: dialect.upsert,
    identifiers: dialect.identifiers ?? { max: 63, unit: 'bytes' },
    literal: (text) => {
      const escaped = dialect.lexis.backslashStrings ? text.replaceAll('\\', '\\\\') : text;
      return `'${escaped.replaceAll("'", "''")}'`;
    },
  };
}

const typeNames: Readonly<Record<FieldKind, keyof ColumnTypes>> = {
  text: 'text',
  number: 'double',
  bigint: 'bigint',
  boolean: 'boolean',
  timestamp: 'timestamp',
  json: 'json',
  bytes: 'bytes',
};
