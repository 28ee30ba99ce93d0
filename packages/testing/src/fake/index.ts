export { fakeDialect } from './fake-dialect.ts';
export {
  type FakeCall,
  type FakeDriver,
  fakeDriver,
  type FakeOptions,
  type FakeOptionalMember,
} from './fake-driver.ts';
export { FakeError } from './fake-error.ts';
export type { FakeAnswer, FakeScript } from './fake-script.ts';
export type { FakeSession } from './fake-session.ts';
