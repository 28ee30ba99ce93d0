// Fake timers put a `performance` of their own into the place of the global. What has imported the
// real one is to follow it: there is one time in a test.
import { performance } from 'node:perf_hooks';

const readReal = performance.now.bind(performance);

performance.now = () =>
  globalThis.performance === performance ? readReal() : globalThis.performance.now();
