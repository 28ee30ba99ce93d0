/** What Ctrl-C means here: the first one asks, the second one ends. */
export interface Interruption extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** The exit status that the first signal asks for, or undefined when there was none. */
  readonly exitCode: number | undefined;
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

export function watchInterruption(onFirst: () => void): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const onSignal = (name: keyof typeof exitCodes): void => {
    if (exitCode !== undefined) process.exit(exitCodes[name]);
    exitCode = exitCodes[name];
    onFirst();
    controller.abort();
  };
  const onInterrupt = (): void => onSignal('SIGINT');
  const onTerminate = (): void => onSignal('SIGTERM');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]() {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
    },
  };
}
