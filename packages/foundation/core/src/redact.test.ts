import { expect, test } from 'vitest';
import { redactOptions, redactUrl } from './redact.ts';

test.each([
  ['postgres://u:geheim@h/d', 'postgres://u:***@h/d'],
  ['failed: mysql://u:ge@heim@h/d?x=1', 'failed: mysql://u:***@h/d?x=1'],
  ['postgres://h/d?password=geheim&x=1', 'postgres://h/d?password=***&x=1'],
  ['postgres://h/d', 'postgres://h/d'],
])('%s', (given, shown) => {
  expect(redactUrl(given)).toBe(shown);
});

test('options are shown without secrets, at any depth', () => {
  const shown = JSON.stringify(
    redactOptions({
      host: 'db',
      password: 'geheim',
      tls: { key: 'geheim', ca: Buffer.from('x') },
      url: 'postgres://u:geheim@h/d',
      token: () => 'geheim',
    }),
  );
  expect(shown).not.toContain('geheim');
  expect(shown).toContain('"host":"db"');
});
