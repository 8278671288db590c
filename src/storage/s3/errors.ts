import type { HttpReply } from '../../http/exchange.ts';
import type { StorageError } from '../errors.ts';
import { writeErrorXml } from './xml.ts';

/** The S3 endpoint's answer to a failure: the real status, with code and message in XML. */
export const s3ErrorReply = (error: StorageError, resource: string): HttpReply => ({
  status: error.row.status,
  headers: {
    'content-type': 'application/xml; charset=utf-8',
    'cache-control': 'no-store',
    ...(error.closesConnection ? { connection: 'close' } : {}),
  },
  body: writeErrorXml({ Resource: resource, Code: error.row.code, Message: error.message }),
});
