/*
 * Where in an HTML document a value lands decides how it is escaped, as in Go's html/template:
 *
 *   text ──'<'──> tag ──name=──> attribute value ──quote──> tag ──'>'──> text | script | style
 *                                 │ plain: entities
 *                                 │ href, src, action: URL (before or after its '?'), then entities
 */

/** The place that the document has reached. */
export type HtmlPlace = {
  readonly kind: 'text' | 'comment' | 'tag' | 'value' | 'script' | 'style';
  /** Name of the open tag, in lower case. */
  readonly tag: string;
  /** Name of the attribute whose value is open. */
  readonly attribute: string;
  /** What closes the value: a quote, or white space and `>` when empty. */
  readonly quote: '"' | "'" | '';
  /** What the value holds so far. */
  readonly value: string;
};

/** The beginning of a document. */
export const documentStart: HtmlPlace = { kind: 'text', tag: '', attribute: '', quote: '', value: '' };

const urlAttributes: ReadonlySet<string> = new Set([
  'action',
  'background',
  'cite',
  'data',
  'formaction',
  'href',
  'longdesc',
  'poster',
  'src',
  'xlink:href',
]);

/** The place after some literal text of the template. */
export function advance(place: HtmlPlace, text: string): HtmlPlace {
  let here = place;
  let rest = text;
  while (rest !== '') [here, rest] = step(here, rest);
  return here;
}

type Step = readonly [place: HtmlPlace, rest: string];

function step(here: HtmlPlace, rest: string): Step {
  switch (here.kind) {
    case 'text':
      return fromText(here, rest);
    case 'comment':
      return after(here, rest, '-->', documentStart);
    case 'script':
    case 'style':
      return after(here, rest, `</${here.kind}`, { ...documentStart, kind: 'tag', tag: `/${here.kind}` });
    case 'tag':
      return fromTag(here, rest);
    case 'value':
      return fromValue(here, rest);
  }
}

function after(here: HtmlPlace, rest: string, mark: string, then: HtmlPlace): Step {
  const at = rest.toLowerCase().indexOf(mark);
  return at < 0 ? [here, ''] : [then, rest.slice(at + mark.length)];
}

function fromText(here: HtmlPlace, rest: string): Step {
  const match = /<(!--|\/?[a-zA-Z][\w:-]*)/.exec(rest);
  if (match === null) return [here, ''];
  const remaining = rest.slice(match.index + match[0].length);
  if (match[1] === '!--') return [{ ...documentStart, kind: 'comment' }, remaining];
  return [{ ...documentStart, kind: 'tag', tag: (match[1] ?? '').toLowerCase() }, remaining];
}

function fromTag(here: HtmlPlace, rest: string): Step {
  const match = /^\s*(?:(>)|([^\s=>"'/]+)(\s*=\s*(["']?))?|[/"'=])/.exec(rest);
  if (match === null) return [here, ''];
  const remaining = rest.slice(match[0].length);
  if (match[1] !== undefined) {
    const raw = here.tag === 'script' || here.tag === 'style' ? here.tag : null;
    return [raw === null ? documentStart : { ...documentStart, kind: raw }, remaining];
  }
  if (match[3] === undefined) return [here, remaining];
  const quote = (match[4] ?? '') as HtmlPlace['quote'];
  return [{ ...here, kind: 'value', attribute: (match[2] ?? '').toLowerCase(), quote, value: '' }, remaining];
}

function fromValue(here: HtmlPlace, rest: string): Step {
  const end = here.quote === '' ? rest.search(/[\s>]/) : rest.indexOf(here.quote);
  if (end < 0) return [{ ...here, value: here.value + rest }, ''];
  const tag: HtmlPlace = { ...documentStart, kind: 'tag', tag: here.tag };
  return [tag, rest.slice(here.quote === '' ? end : end + 1)];
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '+': '&#43;',
  '\0': '\ufffd',
};

const entityEscape = (text: string): string => text.replace(/[&<>"'+\0]/g, (char) => entities[char] ?? char);

/** What stands for a value that would be dangerous where it lands. */
const refused = 'ZgotmplZ';

/** A value, escaped for the place where it lands. */
export function escapeAt(place: HtmlPlace, text: string): string {
  switch (place.kind) {
    case 'text':
      return entityEscape(text);
    case 'comment':
      return '';
    case 'tag':
      return /^[\w-]+$/.test(text) ? text : refused;
    case 'script':
      return JSON.stringify(text).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
    case 'style':
      return /^[\w .#%-]*$/.test(text) ? text : refused;
    case 'value':
      return escapeInValue(place, text);
  }
}

function escapeInValue(place: HtmlPlace, text: string): string {
  if (place.attribute.startsWith('on')) return entityEscape(JSON.stringify(text));
  const inUrl = urlAttributes.has(place.attribute);
  const escaped = entityEscape(inUrl ? urlPart(place.value, text) : text);
  return place.quote === '' ? escaped.replace(/[\s=`]/g, (char) => `&#${char.charCodeAt(0)};`) : escaped;
}

/** A value inside of a URL: the whole of it, a piece of its path, or of its query. */
function urlPart(before: string, text: string): string {
  if (/[?#]/.test(before)) return lowerHex(encodeURIComponent(text).replace(/[!'()*]/g, percentEncoded));
  const scheme = /^\s*([^/?#:]*):/.exec(text)?.[1];
  if (before.trim() === '' && scheme !== undefined && !/^(https?|mailto)$/i.test(scheme))
    return `#${refused}`;
  return normalizeUrl(text);
}

/** Encodes what may not stand in a URL and leaves what is encoded already. */
const normalizeUrl = (text: string): string =>
  text.replace(/[^A-Za-z0-9\-._~:/?#[\]@!$&*+,;=%]/gu, (char) =>
    lowerHex(encodeURIComponent(char).replace(/['()]/g, percentEncoded)),
  );

const percentEncoded = (mark: string): string => `%${mark.charCodeAt(0).toString(16)}`;

/** Go writes the digits of percent escapes in lower case. */
const lowerHex = (text: string): string => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
