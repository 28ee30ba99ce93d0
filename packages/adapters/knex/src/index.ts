export { dalClient, type DalClientOptions } from './dal-client.ts';
