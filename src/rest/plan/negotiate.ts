import type { Catalog, QualifiedName } from '../../catalog/model.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { RestConfig } from '../config/model.ts';
import { type RestError, restErrors } from '../errors.ts';
import type { ApiRequest } from '../parse/api-request.ts';
import { type MediaType, mediaTypes, parseMediaType } from '../parse/media-type.ts';
import type { HandlerPlan, ReadPlan } from './model.ts';

/** The media type of the answer and what renders it. */
export type Negotiated = { readonly handler: HandlerPlan; readonly mediaType: MediaType };

const jsonArray: HandlerPlan = { kind: 'array', stripsNulls: false };
const strippedArray: HandlerPlan = { kind: 'array', stripsNulls: true };
const nothing: HandlerPlan = { kind: 'none' };

/** Whether the select list is a single `*`, or `count()`, with nothing embedded: custom handlers take whole rows. */
const selectsWholeRows = ({ select, children }: ReadPlan): boolean =>
  select.length === 1 && select[0]?.field.name === '*' && children.length === 0;

/**
 * Chooses the first media type of the Accept header that somebody can render.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (negotiateContent).
 */
export function negotiate(
  request: ApiRequest,
  identifier: QualifiedName,
  read: ReadPlan,
  catalog: Catalog,
  config: RestConfig,
): Result<Negotiated, RestError> {
  const target = selectsWholeRows(read) ? identifier : null;
  for (const accepted of request.accept) {
    const found = handlerOf(accepted, target, catalog, config);
    if (found !== null) return ok(needsBody(request) ? found : { ...found, handler: nothing });
  }
  return err(restErrors.notAcceptable(request.accept.map(({ name }) => name)));
}

function needsBody({ action, preferences }: ApiRequest): boolean {
  switch (action.kind) {
    case 'mutate':
      return preferences.representation === 'representation';
    case 'read':
      return !action.headersOnly;
    case 'call':
      return action.method !== 'head';
    default:
      return true;
  }
}

function handlerOf(
  mediaType: MediaType,
  target: QualifiedName | null,
  catalog: Catalog,
  config: RestConfig,
): Negotiated | null {
  switch (mediaType.kind) {
    case 'singular':
      return { handler: { kind: 'single', stripsNulls: mediaType.stripsNulls }, mediaType };
    case 'stripped-array':
      return { handler: strippedArray, mediaType };
    case 'plan': {
      if (!config.planEnabled || mediaType.of.kind === 'plan') return null;
      const planned = handlerOf(mediaType.of, target, catalog, config);
      return planned === null ? null : { handler: planned.handler, mediaType };
    }
    default:
      return (
        (target === null
          ? null
          : (custom(catalog, target, mediaTypes.any.name) ?? custom(catalog, target, mediaType.name))) ??
        custom(catalog, null, mediaType.name) ??
        builtin(mediaType)
      );
  }
}

function custom(catalog: Catalog, target: QualifiedName | null, name: string): Negotiated | null {
  const found = catalog.mediaHandler(target, name);
  if (found === undefined) return null;
  const { target: of, baseType } = found;
  return {
    handler: { kind: 'custom', function: found.function, target: of, baseType },
    mediaType: parseMediaType(found.mediaType),
  };
}

function builtin(mediaType: MediaType): Negotiated | null {
  switch (mediaType.kind) {
    case 'any':
      return { handler: jsonArray, mediaType: mediaTypes.json };
    case 'json':
      return { handler: jsonArray, mediaType };
    case 'csv':
      return { handler: { kind: 'csv' }, mediaType };
    case 'geojson':
      return { handler: { kind: 'geojson' }, mediaType };
    default:
      return null;
  }
}
