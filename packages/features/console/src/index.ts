export { type ConsoleHandler, consoleHandler } from './console-handler.ts';
export type { ConsoleAccess, ConsoleOptions } from './console-options.ts';
export { type ConsoleServer, type ConsoleServerOptions, startConsole } from './console-server.ts';
