import type { CheckoutFigures, CheckoutVerdict } from './checkout.ts';
import { type Quartiles, showRatio } from './rounds.ts';
import { table } from './table.ts';

export function showCheckout({ resources, rounds, contenders, aims }: CheckoutFigures): string {
  const latency = table(
    ['1 caller', 'p50 us', 'p95 us', 'heap bytes a waiter'],
    contenders.map(({ name, p50Us, p95Us, waiterBytes }) => [
      name,
      p50Us.median.toFixed(2),
      p95Us.median.toFixed(2),
      whole(waiterBytes.median),
    ]),
  );
  const speeds = (contenders[0]?.throughput ?? []).map(({ callers }, at) =>
    table(
      [
        `${callers} ${callers === 1 ? 'caller' : 'callers'}`,
        'CPU ns a checkout',
        '/ bare queue',
        'dal / it',
      ],
      contenders.map(({ name, throughput }) => {
        const { ns, toFloor, dalToIt } = throughput[at]!;
        return [
          name,
          whole(ns.median),
          showRatio(toFloor),
          name === 'dal' ? '' : showRatio(dalToIt),
        ];
      }),
    ),
  );
  const head = `${resources} resources that do nothing, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`;
  return [head, latency, ...speeds, aims.map(showAim).join('\n')].join('\n\n');
}

function showAim({ aim, verdict, got }: CheckoutVerdict): string {
  const shown = aim.includes('bytes') ? spread(got) : showRatio(got);
  return `aim: ${aim}: ${verdict}, ${shown}`;
}

function spread({ low, median, high }: Quartiles): string {
  return `${whole(median)} (${whole(low)}-${whole(high)})`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
