import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** One file of the sources, as a tree. */
export function parseSource(root: string, file: string): ts.SourceFile {
  const words = readFileSync(join(root, file), 'utf8');
  return ts.createSourceFile(file, words, ts.ScriptTarget.Latest, true);
}

/** Visits a node and all below it, in the order of the text. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => {
    walk(child, visit);
  });
}

/** The comment above a declaration, on one line and without its tags. */
export function docOf(node: ts.Node): string {
  return ts
    .getJSDocCommentsAndTags(node)
    .map((doc) => (ts.isJSDoc(doc) ? (ts.getTextOfJSDocComment(doc.comment) ?? '') : ''))
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Text for a cell of a table: bars and tags are escaped, code keeps its look. */
export function cell(words: string): string {
  return words
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '&lt;')))
    .join('')
    .replaceAll('|', String.raw`\|`);
}
