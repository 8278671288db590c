/** An element of a document: attributes as `@name`, children by local name, text as `#text`. */
export type XmlElement = { readonly [name: string]: unknown };

const options = {
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
};

/** A document's root by its local name. Rejects with `SyntaxError` for what is not XML, or declares entities. */
export async function parseXml(text: string): Promise<XmlElement> {
  if (/<!DOCTYPE/i.test(text)) throw new SyntaxError('documents with a type declaration are refused');
  const { XMLParser } = await import('fast-xml-parser');
  let parsed: unknown;
  try {
    parsed = new XMLParser(options).parse(text, true);
  } catch (cause) {
    throw new SyntaxError('not well-formed XML', { cause });
  }
  if (!isElement(parsed)) throw new SyntaxError('no root element');
  return parsed;
}

const isElement = (value: unknown): value is XmlElement =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The children of a name, in order; an element that holds text alone becomes one with `#text`. */
export function children(element: XmlElement | null, name: string): readonly XmlElement[] {
  const found = element?.[name];
  if (found === undefined || found === null) return [];
  return (Array.isArray(found) ? found : [found]).map((item) =>
    isElement(item) ? item : { '#text': String(item) },
  );
}

/** The first child of a name, or null. */
export const child = (element: XmlElement | null, name: string): XmlElement | null =>
  children(element, name)[0] ?? null;

/** The text of an element; empty when there is none. */
export function textOf(element: XmlElement | null): string {
  const text = element?.['#text'];
  return typeof text === 'string' ? text : '';
}

/** An attribute; empty when there is none. */
export function attribute(element: XmlElement | null, name: string): string {
  const value = element?.[`@${name}`];
  return typeof value === 'string' ? value : '';
}
