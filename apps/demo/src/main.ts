import { ConfigError, isDalError } from '@dal/core';
import { runDemo } from './demo.ts';
import { watchInterruption } from './interruption.ts';
import { HELP, readOptions, UsageError } from './options.ts';
import { Screen } from './screen.ts';

async function main(): Promise<number> {
  const screen = new Screen();
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  using interruption = watchInterruption(() =>
    screen.line(
      screen.style('yellow', 'Stopping: running transactions end first. Again: exit at once.'),
    ),
  );
  const passed = await runDemo(options, screen, interruption);
  if (!passed) return 1;
  return options.watch ? 0 : (interruption.exitCode ?? 0);
}

// A reader that went away (| head) is no reason to leave tables behind.
process.stdout.on('error', () => undefined);

void run();

async function run(): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    // The layer's messages say what, where and what to try; anything else is a fault in here.
    const wrongUse = error instanceof UsageError || error instanceof ConfigError;
    process.stderr.write(wrongUse ? `${error.message}\n` : `${describe(error)}\n`);
    process.exitCode = wrongUse ? 2 : 1;
  }
}

function describe(error: unknown): string {
  if (isDalError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
