import { XMLParser } from 'fast-xml-parser';
import { StorageError } from '../errors.ts';

/** What an element holds: text, elements by name (several of one name as a list), or nothing. */
type XmlNode = string | number | boolean | null | undefined | XmlTree | readonly XmlNode[];
/** Elements by name; undefined ones are left out. */
export interface XmlTree {
  readonly [name: string]: XmlNode;
}

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\r': '&#xD;',
};

// Characters that XML 1.0 cannot hold, not even escaped.
const impossible = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const escapeXml = (text: string): string =>
  text.replace(impossible, '\uFFFD').replace(/[&<>\r]/g, (character) => escapes[character] ?? character);

function write(name: string, node: XmlNode, attributes = ''): string {
  if (node === undefined) return '';
  if (Array.isArray(node)) return node.map((item) => write(name, item)).join('');
  if (node === null || node === '') return `<${name}${attributes}/>`;
  if (typeof node !== 'object') return `<${name}${attributes}>${escapeXml(String(node))}</${name}>`;
  const children = Object.entries(node as XmlTree).map(([child, value]) => write(child, value));
  return `<${name}${attributes}>${children.join('')}</${name}>`;
}

const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';

/** A document with one root, in the protocol's namespace. */
export const writeXml = (root: string, tree: XmlTree | string): string =>
  `${declaration}${write(root, tree, ` xmlns="${namespace}"`)}`;

/**
 * The document of a failure. Unlike upstream's it is in no namespace, as AWS's is not: botocore, and so the AWS CLI and
 * boto3, finds code and message in such a document only.
 */
export const writeErrorXml = (tree: XmlTree): string => `${declaration}${write('Error', tree)}`;

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: true,
  // The five entities of XML itself; a DOCTYPE is refused below, so that none can be declared.
  processEntities: true,
  // Characters by number, which Go's clients write quotes as.
  htmlEntities: true,
  isArray: (name) => name === 'Object' || name === 'Part',
});

/** Reads a document, as unknown; throws `MalformedXML`. */
export function readXml(text: string): unknown {
  if (/<!DOCTYPE/i.test(text))
    throw new StorageError('MalformedXML', 'Invalid XML payload: DOCTYPE is not supported');
  try {
    return parser.parse(text, true);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : 'unreadable';
    throw new StorageError('MalformedXML', `Invalid XML payload: ${why}`, { cause: thrown });
  }
}
