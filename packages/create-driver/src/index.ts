export { createDriver, type DriverPlan } from './create-driver.ts';
export { CreateError } from './create-error.ts';
