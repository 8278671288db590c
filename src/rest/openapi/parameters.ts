import type { RoutineParameter, Table } from '../../catalog/model.ts';
import {
  elementType,
  type JsonObject,
  swaggerFormat,
  swaggerType,
  unlessEmpty,
  withoutNulls,
} from './types.ts';

const prefer = (values: readonly string[]): JsonObject =>
  withoutNulls({
    name: 'Prefer',
    description: 'Preference',
    required: false,
    in: 'header',
    type: 'string',
    enum: unlessEmpty(values),
  });

const text = (name: string, description: string, place: 'query' | 'header', fallback?: string): JsonObject =>
  withoutNulls({ name, description, required: false, in: place, type: 'string', default: fallback });

const returnValues = ['return=representation', 'return=minimal', 'return=none'];
const resolutionValues = ['resolution=ignore-duplicates', 'resolution=merge-duplicates'];

/** Parameters that several operations refer to. */
const shared: JsonObject = {
  preferParams: prefer([]),
  preferReturn: prefer(returnValues),
  preferCount: prefer(['count=none']),
  preferPost: prefer([...returnValues, ...resolutionValues]),
  select: text('select', 'Filtering Columns', 'query'),
  on_conflict: text('on_conflict', 'On Conflict', 'query'),
  order: text('order', 'Ordering', 'query'),
  range: text('Range', 'Limiting and Pagination', 'header'),
  rangeUnit: text('Range-Unit', 'Limiting and Pagination', 'header', 'items'),
  offset: text('offset', 'Limiting and Pagination', 'query'),
  limit: text('limit', 'Limiting and Pagination', 'query'),
};

/** The shared parameters, and for each relation its body and a filter per column. */
export function parameterDefinitions(tables: readonly Table[]): JsonObject {
  const own = tables.flatMap((table): (readonly [string, JsonObject])[] => [
    [
      `body.${table.name}`,
      {
        name: table.name,
        description: table.name,
        required: false,
        in: 'body',
        schema: { $ref: `#/definitions/${table.name}` },
      },
    ],
    ...[...table.columns.values()].map(
      (column) =>
        [
          `rowFilter.${table.name}.${column.name}`,
          withoutNulls({
            name: column.name,
            description: column.description,
            required: false,
            in: 'query',
            type: 'string',
          }),
        ] as const,
    ),
  ]);
  return { ...shared, ...Object.fromEntries(own) };
}

/** A function's parameter as a query parameter. */
export function queryParameter(parameter: RoutineParameter): JsonObject {
  const { name, type, isRequired, isVariadic } = parameter;
  const plain = swaggerType(type);
  if (!isVariadic) {
    // An array is written `{...}` in a query string, and a query parameter must have a type.
    const shown = plain === null || plain === 'array' ? 'string' : plain;
    return { name, required: isRequired, in: 'query', type: shown, format: swaggerFormat(type) };
  }
  const element = elementType(type);
  return withoutNulls({
    name,
    required: isRequired,
    in: 'query',
    type: plain ?? 'string',
    items: withoutNulls({ type: swaggerType(element), format: swaggerFormat(element) }),
    collectionFormat: 'multi',
  });
}
