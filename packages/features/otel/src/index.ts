export { enableTelemetry, type Telemetry } from './enable-telemetry.ts';
export type { TelemetryOptions } from './telemetry-options.ts';
