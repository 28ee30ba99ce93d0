import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** A full collection, now; no flag has to be given to Node for it. */
export const collectGarbage = runInNewContext('gc') as () => void;
