import { DalError } from '@dal/core';

/** A database of a manager could not be set up, and will not be by waiting; its cause says why. */
export class SetupError extends DalError {
  override readonly name: string = 'SetupError';
}
