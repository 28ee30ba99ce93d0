import {
  EntityNotFoundError,
  EntityTypeError,
  EntityValidationError,
  VersionConflictError,
} from '@dal/entity';

/** The request is wrong; the message is for whoever made it. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Refusal {
  readonly status: number;
  readonly message: string;
  /** Somebody has to look at it. */
  readonly unexpected: boolean;
}

/** What the client is told. Errors of the server keep their words to themselves. */
export function refusalFor(error: unknown): Refusal {
  const known = (status: number): Refusal => ({
    status,
    message: (error as Error).message,
    unexpected: false,
  });
  if (error instanceof RequestError) return known(error.status);
  if (error instanceof EntityNotFoundError) return known(404);
  if (error instanceof VersionConflictError) return known(412);
  if (error instanceof EntityValidationError || error instanceof EntityTypeError) return known(422);
  return { status: 500, message: 'Something went wrong here.', unexpected: true };
}
