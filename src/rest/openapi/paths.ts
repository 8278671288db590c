import type { Routine, Table } from '../../catalog/model.ts';
import { argumentsDefinition } from './definitions.ts';
import { queryParameter } from './parameters.ts';
import { type JsonObject, splitComment, unlessEmpty, withoutNulls } from './types.ts';

/** Media types that every relation and function is answered in. */
export const singularTypes = [
  'application/json',
  'application/vnd.pgrst.object+json;nulls=stripped',
  'application/vnd.pgrst.object+json',
] as const;

const answers = (status: number, description: string): JsonObject => ({ [status]: { description } });

const reference = (name: string): JsonObject => ({ $ref: `#/parameters/${name}` });

/** The path of this document. */
export const rootPath: JsonObject = {
  get: {
    tags: ['Introspection'],
    summary: 'OpenAPI description (this document)',
    produces: ['application/openapi+json', 'application/json'],
    responses: answers(200, 'OK'),
  },
};

/** Operations on a relation; one that takes no writes is only read. */
export function tablePath(table: Table): JsonObject {
  const { name } = table;
  const filters = [...table.columns.keys()].map((column) => `rowFilter.${name}.${column}`);
  const operation = (parameters: readonly string[], responses: JsonObject): JsonObject =>
    withoutNulls({
      tags: [name],
      ...splitComment(table.description),
      parameters: parameters.map(reference),
      responses,
    });
  const paging = ['select', 'order', 'range', 'rangeUnit', 'offset', 'limit', 'preferCount'];
  const rows = { type: 'array', items: { $ref: `#/definitions/${name}` } };
  const get = operation([...filters, ...paging], {
    200: { description: 'OK', schema: rows },
    ...answers(206, 'Partial Content'),
  });
  if (!table.insertable && !table.updatable && !table.deletable) return { get };
  return {
    get,
    post: operation([`body.${name}`, 'select', 'preferPost'], answers(201, 'Created')),
    delete: operation([...filters, 'preferReturn'], answers(204, 'No Content')),
    patch: operation([...filters, `body.${name}`, 'preferReturn'], answers(204, 'No Content')),
  };
}

/** Operations on a function; one that may write is not called by GET. */
export function routinePath(routine: Routine): JsonObject {
  const operation = (parameters: readonly JsonObject[]): JsonObject =>
    withoutNulls({
      tags: [`(rpc) ${routine.name}`],
      ...splitComment(routine.description),
      produces: singularTypes,
      parameters: unlessEmpty(parameters),
      responses: answers(200, 'OK'),
    });
  const body = { name: 'args', required: true, in: 'body', schema: argumentsDefinition(routine) };
  const post = operation([body, reference('preferParams')]);
  return routine.volatility === 'volatile'
    ? { post }
    : { get: operation(routine.parameters.map(queryParameter)), post };
}
