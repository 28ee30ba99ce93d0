import { parseSync } from 'oxc-parser';

/** One place where a file asks for another module. */
export interface ModuleImport {
  /** As written; undefined when the name is computed at run time. */
  readonly specifier: string | undefined;
  /** `load-time` for import and export statements and for types, `run-time` for calls. */
  readonly when: 'load-time' | 'run-time';
  /** Starts at 1. */
  readonly line: number;
}

/**
 * Lists what a file imports, types included: a type in a public signature ties two packages
 * together as firmly as a value does.
 *
 * @throws {SyntaxError} when the file cannot be parsed
 */
export function importsOf(fileName: string, source: string): ModuleImport[] {
  const { program, errors } = parseSync(fileName, source);
  const [first] = errors;
  if (first !== undefined) throw new SyntaxError(`${fileName}: ${first.message}`);

  const found: ModuleImport[] = [];
  visit(program, (node) => {
    const request = moduleRequest(node);
    if (request === undefined) return;
    const { name, when } = request;
    found.push({ specifier: literalText(name), when, line: lineAt(source, Number(node['start'])) });
  });
  return found;
}

type Node = Readonly<Record<string, unknown>>;

function moduleRequest(node: Node): { name: unknown; when: 'load-time' | 'run-time' } | undefined {
  switch (node['type']) {
    case 'ImportDeclaration':
    case 'TSImportType':
      return { name: node['source'], when: 'load-time' };
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return isNode(node['source']) ? { name: node['source'], when: 'load-time' } : undefined;
    case 'TSExternalModuleReference':
      return { name: node['expression'], when: 'load-time' };
    case 'ImportExpression':
      return { name: node['source'], when: 'run-time' };
    case 'CallExpression': {
      const called = node['callee'];
      if (!isNode(called) || called['type'] !== 'Identifier' || called['name'] !== 'require') {
        return undefined;
      }
      return { name: (node['arguments'] as unknown[])[0], when: 'run-time' };
    }
    default:
      return undefined;
  }
}

function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node['type'] === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node['type'] !== 'TemplateLiteral') return undefined;
  // A template without holes is a plain name.
  const quasis = node['quasis'] as ReadonlyArray<{ value: { cooked: string } }>;
  return quasis.length === 1 ? quasis[0]?.value.cooked : undefined;
}

function visit(value: unknown, enter: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, enter);
  } else if (isNode(value)) {
    enter(value);
    for (const child of Object.values(value)) visit(child, enter);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}
