/** Thrown to leave a test that the driver's own declarations make pointless. */
export class Skip extends Error {
  override readonly name: string = 'Skip';
}
