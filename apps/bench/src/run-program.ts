/** Runs a program's main function; a failure is told once, and by the exit code. */
export function runProgram(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${words}\n`);
    process.exitCode = 1;
  });
}
