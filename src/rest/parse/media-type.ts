/** Options of a plan media type, as EXPLAIN knows them. */
export type PlanOption = 'analyze' | 'verbose' | 'settings' | 'buffers' | 'wal';

/** A media type, told apart where the service treats it in a way of its own. */
export type MediaType =
  | {
      readonly kind:
        | 'json'
        | 'geojson'
        | 'csv'
        | 'text'
        | 'xml'
        | 'openapi'
        | 'urlencoded'
        | 'octet-stream'
        | 'any'
        | 'stripped-array'
        | 'other';
      /** As headers name it. */
      readonly name: string;
    }
  | { readonly kind: 'singular'; readonly name: string; readonly stripsNulls: boolean }
  | {
      readonly kind: 'plan';
      readonly name: string;
      readonly of: MediaType;
      readonly format: 'json' | 'text';
      readonly options: readonly PlanOption[];
    };

const json: MediaType = { kind: 'json', name: 'application/json' };

/** The media types that the service names itself. */
export const mediaTypes = {
  json,
  openapi: { kind: 'openapi', name: 'application/openapi+json' },
  any: { kind: 'any', name: '*/*' },
} as const satisfies Record<string, MediaType>;

const singular: MediaType = {
  kind: 'singular',
  name: 'application/vnd.pgrst.object+json',
  stripsNulls: false,
};
const strippedSingular: MediaType = {
  kind: 'singular',
  name: 'application/vnd.pgrst.object+json;nulls=stripped',
  stripsNulls: true,
};
const strippedArray: MediaType = {
  kind: 'stripped-array',
  name: 'application/vnd.pgrst.array+json;nulls=stripped',
};

const byName = new Map<string, MediaType>(
  (
    [
      json,
      mediaTypes.openapi,
      mediaTypes.any,
      { kind: 'geojson', name: 'application/geo+json' },
      { kind: 'csv', name: 'text/csv' },
      { kind: 'text', name: 'text/plain' },
      { kind: 'xml', name: 'text/xml' },
      { kind: 'urlencoded', name: 'application/x-www-form-urlencoded' },
      { kind: 'octet-stream', name: 'application/octet-stream' },
    ] satisfies MediaType[]
  ).map((mediaType) => [mediaType.name, mediaType]),
);

/** The `Content-Type` of an answer. */
export const contentType = ({ kind, name }: MediaType): string =>
  kind === 'octet-stream' || kind === 'other' ? name : `${name}; charset=utf-8`;

type Tokens = {
  readonly main: string;
  readonly sub: string;
  readonly parameters: ReadonlyMap<string, string>;
};

const shape = /^([\p{L}\p{N}.*]+)\/([\p{L}\p{N}.*+-]+)/u;
const parameter = /\s*;\s*([\p{L}\p{N}-]+)\s*=\s*(?:"([^"]*)"|([\p{L}\p{N}|-]+))/uy;

function tokenize(text: string): Tokens | null {
  const match = shape.exec(text);
  if (match === null) return null;
  const parameters = new Map<string, string>();
  parameter.lastIndex = match[0].length;
  for (let found = parameter.exec(text); found !== null; found = parameter.exec(text)) {
    parameters.set((found[1] ?? '').toLowerCase(), found[2] ?? found[3] ?? '');
  }
  return { main: match[1]?.toLowerCase() ?? '', sub: match[2]?.toLowerCase() ?? '', parameters };
}

/**
 * Understands the text of a media type. Parameters other than those of the service's own types are not looked at.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/MediaType.hs (decodeMediaType).
 */
export function parseMediaType(text: string): MediaType {
  const plain = byName.get(text);
  if (plain !== undefined) return plain;
  const tokens = tokenize(text);
  if (tokens === null) return { kind: 'other', name: text };
  const { main, sub, parameters } = tokens;
  const known = byName.get(`${main}/${sub}`);
  if (known !== undefined) return known;
  const stripsNulls = parameters.get('nulls') === 'stripped';
  switch (`${main}/${sub}`) {
    case 'application/vnd.pgrst.plan':
    case 'application/vnd.pgrst.plan+text':
      return planMediaType('text', parameters);
    case 'application/vnd.pgrst.plan+json':
      return planMediaType('json', parameters);
    case 'application/vnd.pgrst.object':
    case 'application/vnd.pgrst.object+json':
      return stripsNulls ? strippedSingular : singular;
    case 'application/vnd.pgrst.array':
    case 'application/vnd.pgrst.array+json':
      return stripsNulls ? strippedArray : json;
    default:
      return { kind: 'other', name: text };
  }
}

const planOptions: readonly PlanOption[] = ['analyze', 'verbose', 'settings', 'buffers', 'wal'];

function planMediaType(format: 'json' | 'text', parameters: ReadonlyMap<string, string>): MediaType {
  const of = parseMediaType(parameters.get('for') ?? 'application/json');
  const asked = (parameters.get('options') ?? '').split('|');
  const options = planOptions.filter((option) => asked.includes(option));
  const suffix = options.length === 0 ? '' : `; options=${options.join('|')}`;
  const name = `application/vnd.pgrst.plan+${format}; for="${of.name}"${suffix}`;
  return { kind: 'plan', name, of, format, options };
}

/** Media types of an `Accept` header, best first: by quality, then by how specific they are. */
export function parseAccept(header: string | undefined): readonly MediaType[] {
  if (header === undefined) return [mediaTypes.any];
  const known = byName.get(header);
  if (known !== undefined) return [known];
  const items = header.split(',').map((item) => acceptItem(item.replaceAll(' ', '')));
  if (items.length > 1) items.sort((a, b) => b.quality - a.quality || b.specificity - a.specificity);
  return items.map(({ text }) => parseMediaType(text));
}

function acceptItem(item: string): { text: string; quality: number; specificity: number } {
  const at = item.indexOf(';q=');
  const text = at < 0 ? item : item.slice(0, at);
  const quality = at < 0 ? 1 : Number.parseFloat(item.slice(at + 3));
  const specificity = text.split(';').length - text.split('*').length;
  return { text, quality: Number.isNaN(quality) ? 1 : quality, specificity };
}
