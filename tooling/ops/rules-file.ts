export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  /** How long it goes on when its condition is gone, so that a blink is no second alert. */
  readonly keepFiringFor: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Recording {
  readonly record: string;
  readonly expr: string;
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly (Alert | Recording)[];
}

/** A file of rules as Prometheus reads it. Texts in double quotes are the same in YAML and JSON. */
export function rulesFile(heading: readonly string[], groups: readonly RuleGroup[]): string {
  const lines = heading.map((line) => `# ${line}`);
  lines.push('groups:');
  for (const { name, rules } of groups) {
    lines.push(`  - name: ${name}`);
    lines.push('    rules:');
    for (const rule of rules) lines.push(...ruleLines(rule).map((line) => `      ${line}`));
  }
  return `${lines.join('\n')}\n`;
}

function ruleLines(rule: Alert | Recording): string[] {
  const expr = ['  expr: |-', ...rule.expr.split('\n').map((line) => `    ${line}`)];
  if ('record' in rule) return [`- record: ${rule.record}`, ...expr];
  return [
    `- alert: ${rule.alert}`,
    ...expr,
    `  for: ${rule.for}`,
    `  keep_firing_for: ${rule.keepFiringFor}`,
    ...mapLines('labels', rule.labels),
    ...mapLines('annotations', rule.annotations),
  ];
}

function mapLines(key: string, values: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(values).map(
    ([name, text]) => `    ${name}: ${JSON.stringify(text)}`,
  );
  return [`  ${key}:`, ...entries];
}
