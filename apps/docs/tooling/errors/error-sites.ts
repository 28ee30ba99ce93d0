import { globSync } from 'node:fs';
import ts from 'typescript';
import { docOf, parseSource, walk } from '../parse-source.ts';

/** A place in the sources that gives an error or a warning its code. */
export interface ErrorSite {
  readonly code: string;
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly line: number;
  /** The class that is thrown, `warning`, or undefined where the place alone doesn't tell. */
  readonly thrown: string | undefined;
  /** Its words, with `…` for what is put in; undefined where they come from elsewhere. */
  readonly words: string | undefined;
}

/** A class of errors, as its declaration says. */
export interface ErrorClass {
  readonly name: string;
  readonly extends: string | undefined;
  readonly doc: string;
  readonly file: string;
}

// Not those of the kit for tests, which asks for codes instead of giving them.
const SOURCES = 'packages/*/*/src/**/*.ts';
const CODE = /^DAL(?:_[A-Z0-9]+)+$/;

/** Every place that gives an error or a warning its code; what only compares codes is left out. */
export function errorSites(root: string): ErrorSite[] {
  return sourceFiles(root)
    .flatMap(({ file, source }) => {
      const found: ErrorSite[] = [];
      walk(source, (node) => {
        if (!ts.isStringLiteral(node) || !CODE.test(node.text) || isCompared(node)) return;
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        found.push({ code: node.text, file, line: line + 1, ...makerOf(node) });
      });
      return found;
    })
    .toSorted((a, b) => a.code.localeCompare(b.code) || a.file.localeCompare(b.file));
}

/** Every class that stands below `DalError`, and itself, parents first. */
export function errorClasses(root: string): ErrorClass[] {
  const all = new Map<string, ErrorClass>();
  for (const { file, source } of sourceFiles(root)) {
    walk(source, (node) => {
      if (!ts.isClassDeclaration(node) || node.name === undefined) return;
      const parent = node.heritageClauses?.find(
        (clause) => clause.token === ts.SyntaxKind.ExtendsKeyword,
      )?.types[0]?.expression;
      const name = node.name.text;
      const base = parent && ts.isIdentifier(parent) ? parent.text : undefined;
      all.set(name, { name, extends: base, doc: docOf(node), file });
    });
  }
  const below = (name: string): ErrorClass[] =>
    [...all.values()]
      .filter((found) => found.extends === name)
      .flatMap((found) => [found, ...below(found.name)]);
  const top = all.get('DalError');
  return top === undefined ? [] : [top, ...below('DalError')];
}

function sourceFiles(root: string): { file: string; source: ts.SourceFile }[] {
  return globSync(SOURCES, { cwd: root })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !file.includes('.test.'))
    .toSorted()
    .map((file) => ({ file, source: parseSource(root, file) }));
}

/** `error.code === 'DAL_X'`, a case, a type: nothing is thrown there. */
function isCompared({ parent }: ts.StringLiteral): boolean {
  if (ts.isBinaryExpression(parent)) return /^[!=]==$/.test(parent.operatorToken.getText());
  return ts.isLiteralTypeNode(parent) || ts.isCaseClause(parent);
}

/** Who makes the error: the nearest `new X(words, ...)` or call around the code. */
function makerOf(code: ts.Node): Pick<ErrorSite, 'thrown' | 'words'> {
  for (let node = code.parent; !ts.isSourceFile(node); node = node.parent) {
    if (ts.isNewExpression(node)) {
      return { thrown: node.expression.getText(), words: wordsOf(node.arguments?.[0]) };
    }
    if (ts.isCallExpression(node) && node.expression.getText() === 'process.emitWarning') {
      return { thrown: 'warning', words: wordsOf(node.arguments[0]) };
    }
    if (ts.isFunctionLike(node)) break;
  }
  return { thrown: undefined, words: undefined };
}

function wordsOf(node: ts.Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isParenthesizedExpression(node)) return wordsOf(node.expression);
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return `${wordsOf(node.left) ?? '…'}${wordsOf(node.right) ?? '…'}`;
  }
  return undefined;
}
