// Every figure that a page of DAL quotes comes from here.
//
//   pnpm bench hot-path | bulk | stream | checkout | outage | capacity | observe | entity [--engine postgres,sqlite] [--quick] [--json]
import { availableParallelism } from 'node:os';
import { capacity } from './capacity.ts';
import { checkout } from './checkout.ts';
import { compareEngines } from './compare-engines.ts';
import { entity } from './entity/entity.ts';
import { observe } from './observe.ts';
import { outage } from './outage.ts';
import { type Arguments, type Command, readArguments } from './read-arguments.ts';
import { runProgram } from './run-program.ts';

// Libraries that make local times of moments are to agree with the others.
process.env['TZ'] = 'UTC';

type Measure = (options: Arguments, say: (text: string) => void) => Promise<object>;

const commands: Readonly<Record<Command, Measure>> = {
  'hot-path': compareEngines('hot-path'),
  bulk: compareEngines('bulk'),
  stream: compareEngines('stream'),
  checkout,
  outage,
  capacity,
  observe,
  entity,
};

runProgram(main);

async function main(): Promise<void> {
  const given = process.argv.slice(2);
  const options = readArguments(given);
  const machine = `Node ${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} cores shared by client and server`;
  const say = options.json ? () => undefined : (text: string) => console.log(`${text}\n`);
  say(`$ pnpm bench ${given.join(' ')}`);
  say(
    `${machine}. Everybody is measured in every round; median (quartiles) over the rounds; / is the speed of the row divided by that of the column`,
  );
  const figures = await commands[options.command](options, say);
  const document = { command: `bench ${given.join(' ')}`, machine, ...figures };
  if (options.json) console.log(JSON.stringify(document, null, 2));
}
