export { type AdapterOptions, dalAdapter } from './dal-adapter.ts';
