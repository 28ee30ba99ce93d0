import { AcquireTimeoutError, ConnectionError, type Fault } from '@dal/core';
import { expect, test } from 'vitest';
import { faultOf } from './fault-of.ts';

const system = (code: string, more: object = {}): Error =>
  Object.assign(new Error(code), { code, ...more });
const fault: Fault = { kind: 'deadlock', applied: 'no' };

const table: [what: string, error: unknown, verdict: Fault | undefined][] = [
  ['an error of the layer', new ConnectionError('', { fault }), fault],
  [
    'one without a verdict',
    new AcquireTimeoutError('', { kind: 'overloaded', cause: system('ECONNREFUSED') }),
    { kind: 'overloaded', applied: 'unknown' },
  ],
  ['one as a cause', new Error('', { cause: new ConnectionError('', { fault }) }), fault],
  [
    'a refused socket',
    system('ECONNREFUSED'),
    { kind: 'connection', applied: 'no', code: 'ECONNREFUSED' },
  ],
  [
    'a slow connect',
    system('ETIMEDOUT', { syscall: 'connect' }),
    { kind: 'connection', applied: 'no', code: 'ETIMEDOUT' },
  ],
  [
    'a cut line',
    system('ECONNRESET'),
    { kind: 'connection', connectionLost: true, applied: 'unknown', code: 'ECONNRESET' },
  ],
  [
    'the error of fetch',
    new TypeError('fetch failed', { cause: system('EAI_AGAIN') }),
    { kind: 'connection', applied: 'no', code: 'EAI_AGAIN' },
  ],
  [
    'a timeout',
    new DOMException('late', 'TimeoutError'),
    { kind: 'statementTimeout', applied: 'unknown' },
  ],
  ['an abort', AbortSignal.abort().reason, { kind: 'cancelled', applied: 'unknown' }],
  ['a missing file', system('ENOENT'), undefined],
  ['a number as code', Object.assign(new Error('x'), { code: 7 }), undefined],
  ['a text', 'ECONNREFUSED', undefined],
  ['nothing', null, undefined],
];

test.each(table)('%s', (_, error, verdict) => {
  expect(faultOf(error)).toEqual(verdict);
});

test('a circle of causes ends', () => {
  const circle = new Error('circle');
  circle.cause = circle;
  expect(faultOf(circle)).toBeUndefined();
});
