import { wrongOption } from '@dal/core';

/** Names of levels as loggers have them. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Takes lines; those of pino and bunyan are such. Only the levels that are used have to be there. */
export type Logger = {
  readonly [Level in LogLevel]?: (fields: object, message: string) => void;
} & {
  /** Asked before a line is made, where there is one. */
  isLevelEnabled?(level: LogLevel): boolean;
};

/** Writes one line on one level. */
export type WriteLine = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/**
 * How to write lines of a level; undefined when nothing is to be written.
 *
 * @throws ConfigError when the logger has no such level
 */
export function writerOf(logger: Logger, level: LogLevel | 'off'): WriteLine | undefined {
  if (level === 'off') return undefined;
  if (typeof logger?.[level] !== 'function') {
    throw wrongOption('The logger of queryLog()', `an object with the method ${level}()`, logger);
  }
  // The console prints objects over many lines; the message says all that people want to read.
  if ((logger as unknown) === console) return (_, message) => console[level](message);
  return (fields, message) => {
    if (logger.isLevelEnabled?.(level) === false) return;
    logger[level]?.(fields, message);
  };
}
