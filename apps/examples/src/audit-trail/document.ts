import { z } from 'zod';

/** What a document is. Whatever comes over the line is checked against it before it is stored. */
export const document = z.strictObject({
  title: z.string().trim().min(1).max(200),
  text: z.string().max(20_000).default(''),
  status: z.enum(['draft', 'published']).default('draft'),
  labels: z.array(z.string().max(40)).max(20).default([]),
});

/** What a change may say: some of the fields, and no default for those that it leaves out. */
export const documentChange = z
  .strictObject({
    title: document.shape.title,
    text: document.shape.text.unwrap(),
    status: document.shape.status.unwrap(),
    labels: document.shape.labels.unwrap(),
  })
  .partial();

export type DocumentInput = z.input<typeof document>;
export type DocumentChange = z.output<typeof documentChange>;
