// Every figure that a page of DAL quotes comes from here.
//
//   pnpm bench hot-path | bulk | stream | checkout | outage | capacity | observe | entity [--engine postgres,sqlite] [--quick] [--json] [--save file]
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
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

/** What `--save` writes: the figures, and the words and tables that a person was shown. */
export interface SavedFigures {
  readonly date: string;
  readonly command: string;
  readonly machine: string;
  readonly shown: readonly string[];
}

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
  const began = new Date();
  const processor = cpus()[0]?.model.trim() || 'unknown processor';
  const machine = `Node ${process.version}, ${process.platform} ${process.arch}, ${processor}, ${availableParallelism()} cores shared by client and server`;
  const shown: string[] = [];
  const say = (text: string): void => {
    shown.push(text);
    if (!options.json) console.log(`${text}\n`);
  };
  const command = `bench ${withoutSave(given).join(' ')}`;
  say(`$ pnpm ${command}`);
  say(
    `${machine}. Everybody is measured in every round; median (quartiles) over the rounds; / is the speed of the row divided by that of the column`,
  );
  const figures = await commands[options.command](options, say);
  const document = { command, machine, ...figures };
  if (options.json) console.log(JSON.stringify(document, null, 2));
  if (options.save !== undefined) {
    const saved: SavedFigures = { date: began.toISOString(), ...document, shown: shown.slice(1) };
    await mkdir(dirname(options.save), { recursive: true });
    await writeFile(options.save, `${JSON.stringify(saved, null, 2)}\n`);
  }
}

/** Where the figures are kept is nobody's business who reads them. */
function withoutSave(given: readonly string[]): string[] {
  return given.filter(
    (word, at) => word !== '--' && !/^--save(?:=|$)/.test(word) && given[at - 1] !== '--save',
  );
}
