import { type ErrorClass, errorClasses, type ErrorSite, errorSites } from './error-sites.ts';
import { codeAdvice } from './code-advice.ts';
import { knownKinds, vendorCodes } from './fault-tables.ts';
import { kindAdvice } from './kind-advice.ts';
import { cell } from '../parse-source.ts';

/** All that the reference of errors is made of. */
export interface ErrorReference {
  readonly classes: readonly ErrorClass[];
  readonly sites: ReadonlyMap<string, readonly ErrorSite[]>;
  /** Each kind with the codes of servers and libraries that mean it, by vendor. */
  readonly kinds: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
}

/** Reads the sources. */
export function readErrors(root: string): ErrorReference {
  const vendors = Map.groupBy(vendorCodes(root), ({ kind }) => kind);
  const kinds = new Map<string, ReadonlyMap<string, string[]>>();
  for (const kind of new Set([...knownKinds(root), ...vendors.keys()])) {
    const byVendor = Map.groupBy(vendors.get(kind) ?? [], ({ vendor }) => vendor);
    const codes = [...byVendor].map(([vendor, found]) => [vendor, found.map(({ code }) => code)]);
    kinds.set(kind, new Map(codes as [string, string[]][]));
  }
  return {
    classes: errorClasses(root),
    sites: Map.groupBy(errorSites(root), ({ code }) => code),
    kinds,
  };
}

/** The code that an error of a server gets: `DAL_LOCK_TIMEOUT` for `lockTimeout`. */
function codeOfKind(kind: string): string {
  return `DAL_${kind.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** @returns what is missing or too much in the advice, in words; empty when all is well */
export function adviceProblems({ sites, kinds }: ErrorReference): string[] {
  return [
    ...differences('kind-advice.ts', [...kinds.keys()], Object.keys(kindAdvice)),
    ...differences('code-advice.ts', [...sites.keys()], Object.keys(codeAdvice)),
  ];
}

function differences(file: string, inSources: string[], inAdvice: string[]): string[] {
  const [there, advised] = [new Set(inSources), new Set(inAdvice)];
  return [
    ...inSources.filter((name) => !advised.has(name)).map((name) => `${file}: ${name} is missing`),
    ...inAdvice.filter((name) => !there.has(name)).map((name) => `${file}: nobody has ${name}`),
  ];
}

/** The page of the reference, in Markdown. */
export function errorPage(errors: ErrorReference): string {
  return `---
outline: [2, 3]
---

# Errors

Made from the sources: every class, every kind and every code that a package has.

Every error of the layer is a \`DalError\`. Switch on \`error.kind\`, which is the same on every engine; search for \`error.code\`; read \`error.fault\` for what the driver knows: the constraint, the table, the server's own code, and whether the statement had an effect (\`applied\`). \`error.cause\` is the error of the library. [Error handling](../guides/error-handling.md) shows how.

## Classes

| Class | Extends | What it says |
| --- | --- | --- |
${errors.classes.map(classRow).join('\n')}

## Kinds

An error that comes from a server has the code of its kind: \`unique\` is \`DAL_UNIQUE\`, \`lockTimeout\` is \`DAL_LOCK_TIMEOUT\`. A driver may have kinds of its own.

${[...errors.kinds].map(([kind, vendors]) => kindSection(kind, vendors)).join('\n')}
## Codes

In the messages, \`…\` stands for what is put in. Values of parameters and secrets never are.

${[...errors.sites].map(([code, sites]) => codeSection(code, sites)).join('\n')}`;
}

function classRow({ name, extends: base, doc, file }: ErrorClass): string {
  const link = `[\`${name}\`](repo:${file})`;
  return `| ${link} | ${base === undefined ? '' : `\`${base}\``} | ${cell(doc)} |`;
}

function kindSection(kind: string, vendors: ReadonlyMap<string, readonly string[]>): string {
  const advice = kindAdvice[kind];
  const codes = [...vendors].map(
    ([vendor, found]) => `- ${vendor}: ${found.map((code) => `\`${code}\``).join(' ')}`,
  );
  return `### \`${kind}\` {#kind-${kind}}

${advice?.means ?? ''} Code: \`${codeOfKind(kind)}\`.

${advice?.todo ?? ''}

${codes.join('\n')}
`;
}

function codeSection(code: string, sites: readonly ErrorSite[]): string {
  return `### \`${code}\` {#${code.toLowerCase().replaceAll('_', '-')}}

${codeAdvice[code] ?? ''}

${[...new Set(tellingOf(sites).map(siteLine))].join('\n')}
`;
}

/** Places that only pass a code on say nothing, where others say who throws it. */
function tellingOf(sites: readonly ErrorSite[]): readonly ErrorSite[] {
  const telling = sites.filter(({ thrown }) => thrown !== undefined);
  return telling.length > 0 ? telling : sites;
}

function siteLine({ file, thrown, words }: ErrorSite): string {
  const who = thrown === undefined || thrown === 'warning' ? (thrown ?? '') : `\`${thrown}\``;
  const message = words === undefined || /^[…. ]*$/.test(words) ? '' : `“${text(words)}”`;
  const what = [who, message].filter(Boolean).join(': ');
  return `- ${what}${what === '' ? '' : ' '}[${file.split('/').slice(1, 3).join('/')}](repo:${file})`;
}

/** Words of a message as text: neither markup nor templates of Vue. */
function text(words: string): string {
  return words
    .replaceAll(/\s+/g, ' ')
    .replaceAll('{{', '{ {')
    .replaceAll(/[\\`*_[\]<>#|]/g, String.raw`\$&`);
}
