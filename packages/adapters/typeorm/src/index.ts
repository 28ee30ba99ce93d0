export { dalDriver, type DalDriver } from './dal-driver.ts';
