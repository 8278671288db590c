import type { ParsedUrlQuery } from 'node:querystring';
import type { HttpReply } from '../../http/exchange.ts';
import type { Call } from '../call.ts';
import type { StorageDeps } from '../deps.ts';
import type { SignedBody } from './body.ts';
import { writeXml, type XmlTree } from './xml.ts';

/** An authorized request of the S3 endpoint. */
export type S3Call = {
  readonly deps: StorageDeps;
  /** Bucket and key of the path; the key is empty for operations on buckets. */
  readonly call: Call<null>;
  readonly query: ParsedUrlQuery;
  readonly body: SignedBody;
};

/** One operation of the protocol. */
export type Operation = (call: S3Call) => Promise<HttpReply>;

/** An answer with a document. */
export const xmlReply = (root: string, tree: XmlTree | string): HttpReply => ({
  status: 200,
  headers: { 'content-type': 'application/xml; charset=utf-8' },
  body: writeXml(root, tree),
});

/** A parameter of the query; undefined when it is absent or stands twice. */
export const parameter = ({ query }: S3Call, name: string): string | undefined => {
  const value = query[name];
  return typeof value === 'string' ? value : undefined;
};
