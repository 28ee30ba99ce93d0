/** Runs a program's main function; a failure is told once, and by the exit code. */
export function runProgram(main: () => Promise<void>): void {
  let hasEnded = false;
  // Node ends quietly, and well, when there is nothing left that a promise could be settled by.
  process.once('exit', () => {
    if (hasEnded) return;
    process.stderr.write('The program came to a stop before its end.\n');
    process.exitCode = 1;
  });
  main()
    .catch((error: unknown) => {
      const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`${words}\n`);
      process.exitCode = 1;
    })
    .finally(() => {
      hasEnded = true;
    });
}
