/** What zod, valibot, arktype and others have in common. */
export type { StandardSchemaV1 } from '@standard-schema/spec';
