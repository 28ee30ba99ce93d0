export type { Card, ChapterCard, Level } from './card.ts';
export type {
  ConformanceOptions,
  DescribeFunction,
  SessionStatements,
  TestFunction,
} from './conformance-options.ts';
export { runConformance } from './run-conformance.ts';
