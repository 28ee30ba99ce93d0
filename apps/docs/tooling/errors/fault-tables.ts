import { globSync } from 'node:fs';
import { basename } from 'node:path';
import ts from 'typescript';
import { parseSource, walk } from '../parse-source.ts';

/** A code of a server or a library, and the kind that a driver makes of it. */
export interface VendorCode {
  readonly kind: string;
  /** `PostgreSQL`, `MySQL and MariaDB`, `MariaDB` and so on. */
  readonly vendor: string;
  readonly code: string;
}

const VENDORS: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL',
  mysql: 'MySQL and MariaDB',
  sqlite: 'SQLite',
};
const FLAVORS: Readonly<Record<string, string>> = {
  mysqlFaults: 'MySQL',
  mariadbFaults: 'MariaDB',
};
/** Such a table has the first two characters of an SQLSTATE. */
const OF_CLASSES = /Class$/;
const IS_CODE = /^(?:(?=.*\d)[0-9A-Z]{5}|[0-9A-Z]{2}xxx|\d{1,5}|SQLITE_[A-Z_]+)$/;

/** The kinds that `KnownFaultKind` names. */
export function knownKinds(root: string): string[] {
  const kinds: string[] = [];
  walk(parseSource(root, 'packages/foundation/core/src/fault.ts'), (node) => {
    if (!ts.isTypeAliasDeclaration(node) || node.name.text !== 'KnownFaultKind') return;
    walk(node, (inner) => {
      if (ts.isStringLiteral(inner)) kinds.push(inner.text);
    });
  });
  return kinds;
}

/** What the tables of the drivers (`*-faults.ts`) make of which code. */
export function vendorCodes(root: string): VendorCode[] {
  return globSync('packages/drivers/*/src/*-faults.ts', { cwd: root })
    .toSorted()
    .flatMap((file) => {
      const source = parseSource(root, file);
      const kinds = kindsOfConstants(source);
      const driver = basename(file).replace('-faults.ts', '');
      const found: VendorCode[] = [];
      walk(source, (node) => {
        if (!ts.isPropertyAssignment(node)) return;
        const name = nameOf(node.name);
        const kind = kindOf(node.initializer, kinds);
        if (name === undefined || kind === undefined) return;
        const table = tableOf(node);
        const code = OF_CLASSES.test(table) ? `${name}xxx` : name;
        if (!IS_CODE.test(code)) return;
        found.push({ kind, vendor: FLAVORS[table] ?? VENDORS[driver] ?? driver, code });
      });
      return found;
    });
}

/** `const lost: Verdict = { kind: 'connection', ... }` and the like, by the constant's name. */
function kindsOfConstants(source: ts.SourceFile): ReadonlyMap<string, string> {
  const kinds = new Map<string, string>();
  walk(source, (node) => {
    if (!ts.isVariableDeclaration(node) || node.initializer === undefined) return;
    const kind = ts.isObjectLiteralExpression(node.initializer) && kindOf(node.initializer);
    if (kind && ts.isIdentifier(node.name)) kinds.set(node.name.text, kind);
  });
  return kinds;
}

function kindOf(
  node: ts.Expression,
  constants: ReadonlyMap<string, string> = new Map(),
): string | undefined {
  if (ts.isStringLiteral(node)) return node.text;
  if (ts.isIdentifier(node)) return constants.get(node.text);
  if (!ts.isObjectLiteralExpression(node)) return undefined;
  for (const property of node.properties) {
    if (!ts.isPropertyAssignment(property) || nameOf(property.name) !== 'kind') continue;
    return ts.isStringLiteral(property.initializer) ? property.initializer.text : undefined;
  }
  return undefined;
}

function nameOf(name: ts.PropertyName): string | undefined {
  return ts.isIdentifier(name) || ts.isStringLiteral(name) || ts.isNumericLiteral(name)
    ? name.text
    : undefined;
}

/** The constant that the table is. */
function tableOf(node: ts.Node): string {
  for (let at = node; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isVariableDeclaration(at)) return at.name.getText();
  }
  return '';
}
