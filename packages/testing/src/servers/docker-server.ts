import type { Server, ServerKind, ServerOptions } from './server.ts';

export async function startDockerServer(
  _kind: ServerKind,
  _options: ServerOptions,
): Promise<Server | string> {
  return 'docker: no engine answers';
}
