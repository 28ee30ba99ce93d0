import { expect, test } from 'vitest';
import { readTls, tlsAttempts } from './tls.ts';

test("the words mean what libpq's sslmode means", () => {
  const plan = (mode: Parameters<typeof tlsAttempts>[0]): unknown[] =>
    tlsAttempts(mode, 'db.example').map((attempt) =>
      attempt === false
        ? 'plain'
        : [
            attempt.rejectUnauthorized ? 'chain' : '',
            attempt.checkServerIdentity ? '' : 'name',
          ].join(''),
    );
  // The name is checked by Node only when the chain is.
  expect(plan('disable')).toEqual(['plain']);
  expect(plan('allow')).toEqual(['plain', '']);
  expect(plan('prefer')).toEqual(['', 'plain']);
  expect(plan('require')).toEqual(['']);
  expect(plan('verify-ca')).toEqual(['chain']);
  expect(plan('verify-full')).toEqual(['chainname']);
  expect(plan({ ca: 'PEM' })).toEqual(['chainname']);
  expect(plan({ ca: 'PEM', mode: 'require' })).toEqual(['chain']);
});

test('an address is no name to ask for', () => {
  expect(tlsAttempts('require', '127.0.0.1')[0]).not.toHaveProperty('servername');
  expect(tlsAttempts('require', 'db.example')[0]).toHaveProperty('servername', 'db.example');
});

test('wrong words and files are refused by name', () => {
  expect(() => readTls('required', 'options.tls')).toThrow('Did you mean "require"?');
  expect(() => readTls({ rejectUnauthorized: false }, 'options.tls')).toThrow(
    'Did you mean "mode"?',
  );
});
