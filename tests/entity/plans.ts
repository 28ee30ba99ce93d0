import { isSql, type Queryable, renderSql, type Sql, type Values } from '@dal/core';
import type { Database } from '@dal/factory';
import type { TestEngine } from '../setup/start-engines.ts';

export interface Asked {
  readonly text: string;
  readonly values: Values;
}

/** The same place to run statements, which writes down those that are asked of it. */
export function recording(place: Queryable, asked: Asked[]): Queryable {
  return new Proxy(place, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const [statement, values] = args as [string | Sql, Values | undefined];
        if (isSql(statement)) asked.push(renderSql(statement, target.dialect));
        else if (typeof statement === 'string')
          asked.push({ text: statement, values: values ?? [] });
        return Reflect.apply(member, target, args) as unknown;
      };
    },
  });
}

/** How the engine means to find the rows of a statement. */
export async function planOf(
  name: TestEngine['name'],
  db: Database,
  { text, values }: Asked,
): Promise<{ readonly usesIndexOnly: boolean; readonly words: string }> {
  const native =
    name === 'postgres' && /\$\d/.test(text) ? ({ placeholders: 'native' } as const) : {};
  if (name === 'sqlite') {
    const rows = await db.query<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`, values);
    const steps = rows.map(({ detail }) => detail);
    const words = steps.join('\n');
    return { words, usesIndexOnly: /SEARCH .*INDEX/.test(words) && !/^SCAN/m.test(words) };
  }
  if (name === 'postgres') {
    const rows = await db.query(`EXPLAIN ${text}`, values, native);
    const words = rows.map((row) => row['QUERY PLAN']).join('\n');
    return { words, usesIndexOnly: /Index (Only )?Scan/.test(words) && !/Seq Scan/.test(words) };
  }
  const rows = await db.query<Record<string, unknown>>(
    `EXPLAIN ${name === 'mysql' ? 'FORMAT=TRADITIONAL ' : ''}${text}`,
    values,
  );
  // The merged answer of a UNION, and a table that a look into its key has ruled out, are no reads.
  const reads = rows.filter(({ table }) => typeof table === 'string' && !table.startsWith('<'));
  return {
    words: JSON.stringify(rows),
    // `index` reads the whole index, `ALL` the whole table.
    usesIndexOnly:
      reads.length > 0 &&
      reads.every(({ type, key }) => key !== null && type !== 'ALL' && type !== 'index'),
  };
}
