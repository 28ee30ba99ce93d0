import { SCOPE } from './names.ts';
import { createNoopMeter, type Meter, type MeterProvider, metrics } from './open-telemetry.ts';

/** The meter, as soon as there is one: the program may set its provider later than it calls us. */
export class MeterSource {
  readonly #given: MeterProvider | undefined;

  constructor(given: MeterProvider | undefined) {
    this.#given = given;
  }

  find(): Meter | undefined {
    const meter = (this.#given ?? metrics).getMeter(SCOPE);
    return meter === createNoopMeter() ? undefined : meter;
  }
}
