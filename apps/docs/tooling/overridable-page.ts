import type { OverridableMember } from './api-pages.ts';

/** What a driver or a program may bring itself, in place of what the layer does without it. */
export function overridablePage(members: readonly OverridableMember[]): string {
  const rows = members
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(({ name, summary }) => `| \`${name}\` | ${summary.replaceAll('|', String.raw`\|`)} |`);
  return `# What can be overridden

Made from the declarations: the optional members of every interface that carries \`@overridable\`, and whatever else carries it. Each of them may be left out, and then the layer does what the text says; a driver that brings it decides itself. The contract as a whole is on the page of [\`@dal/core\`](../api/core.md).

| Member | What it does, and what happens without it |
| --- | --- |
${rows.join('\n')}
`;
}
