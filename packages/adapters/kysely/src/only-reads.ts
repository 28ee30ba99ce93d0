import type {
  AggregateFunctionNode,
  OperationNode,
  RawNode,
  SelectModifierNode,
} from './kysely.ts';

/**
 * Whether a query surely only reads, so that it may run twice: a SELECT that is made of nothing but the
 * parts below. Free text (`sql`), functions, locks, and changes in a WITH are none of them. A table may
 * be a view, whose own words can't be seen from here.
 */
export function onlyReads(query: OperationNode): boolean {
  return query.kind === 'SelectQueryNode' && isHarmless(query);
}

const HARMLESS: ReadonlySet<string> = new Set<OperationNode['kind']>([
  'AliasNode',
  'AndNode',
  'BinaryOperationNode',
  'CaseNode',
  'CastNode',
  'CollateNode',
  'ColumnNode',
  'CommonTableExpressionNameNode',
  'CommonTableExpressionNode',
  'DataTypeNode',
  'FetchNode',
  'FromNode',
  'GroupByItemNode',
  'GroupByNode',
  'HavingNode',
  'IdentifierNode',
  'JSONOperatorChainNode',
  'JSONPathLegNode',
  'JSONPathNode',
  'JSONReferenceNode',
  'JoinNode',
  'LimitNode',
  'ListNode',
  'OffsetNode',
  'OnNode',
  'OperatorNode',
  'OrNode',
  'OrderByItemNode',
  'OrderByNode',
  'OverNode',
  'ParensNode',
  'PartitionByItemNode',
  'PartitionByNode',
  'ReferenceNode',
  'SchemableIdentifierNode',
  'SelectAllNode',
  'SelectQueryNode',
  'SelectionNode',
  'SetOperationNode',
  'TableNode',
  'TopNode',
  'TupleNode',
  'UnaryOperationNode',
  'UsingNode',
  'ValuesNode',
  'ValueListNode',
  'WhenNode',
  'WhereNode',
  'WithNode',
]);

/** Of the aggregates, which may have any name, those of the standard. */
const AGGREGATES: ReadonlySet<string> = new Set(['avg', 'count', 'max', 'min', 'sum']);

const DIRECTIONS: ReadonlySet<string> = new Set(['asc', 'desc']);

function isHarmless(node: OperationNode): boolean {
  switch (node.kind) {
    case 'ValueNode':
    case 'PrimitiveValueListNode':
      // What is below are the user's values.
      return true;
    case 'RawNode':
      // How Kysely writes the direction of an ORDER BY.
      return DIRECTIONS.has(String((node as RawNode).sqlFragments));
    case 'SelectModifierNode':
      return (node as SelectModifierNode).modifier === 'Distinct';
    case 'AggregateFunctionNode':
      if (!AGGREGATES.has((node as AggregateFunctionNode).func)) return false;
      break;
    default:
      if (!HARMLESS.has(node.kind)) return false;
  }
  return Object.values(node).every(isHarmlessPart);
}

function isHarmlessPart(part: unknown): boolean {
  if (Array.isArray(part)) return part.every(isHarmlessPart);
  if (typeof part !== 'object' || part === null) return true;
  return isHarmless(part as OperationNode);
}
