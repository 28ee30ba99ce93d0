import { packCell, packRows } from './carried-values.ts';
import type { Answer, StatementVerb } from './messages.ts';

/** For what has no bytes in it. */
export function valueAnswer(value: unknown): Answer {
  return { kind: 'value', value, bytes: false };
}

/** What a verb of a statement gave, fit to travel. */
export function resultAnswer(verb: StatementVerb, result: unknown): Answer {
  switch (verb) {
    case 'query':
      return { kind: 'value', value: result, bytes: packRows(result as readonly unknown[]) };
    case 'execute': {
      const { rows } = result as { readonly rows: readonly unknown[] };
      return { kind: 'value', value: result, bytes: packRows(rows) };
    }
    case 'queryValue': {
      const { value, bytes } = packCell(result);
      return { kind: 'value', value, bytes };
    }
    default:
      return { kind: 'value', value: result, bytes: packRows([result]) };
  }
}

export function rowsAnswer(rows: readonly unknown[]): Answer {
  return { kind: 'value', value: rows, bytes: packRows(rows) };
}
