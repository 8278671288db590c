import { z } from 'zod';
import { base64urlText } from '../../bearer.ts';
import type { AdminCall } from '../../call.ts';
import type { AuthContext } from '../../context.ts';
import { adminFailure } from '../../failures/admin.ts';
import { jsonSyntaxError } from '../../go-json/syntax.ts';
import { uuidProblem } from '../../go-json/uuid.ts';
import { isUuid } from '../../guard.ts';
import type { Position } from '../../store/user-list.ts';
import { epochMs, rfc3339 } from '../../timestamp.ts';
import { readNatural } from './pagination.ts';

/** A part of a list that is read on from a position; null is the beginning. */
export type CursorPage = { readonly limit: number; readonly after: Position | null };

const defaultLimit = 50;
const maxLimit = 1000;

/** Whether a list is read by cursor: where the configuration has it, and nobody asks for a page by its number. */
export const isByCursor = ({ config }: AuthContext, { query }: AdminCall): boolean =>
  config.cursorPagination && !query.get('page') && !query.get('per_page');

/** What a request asks for; refuses a limit or a cursor that is none. */
export function readCursorPage({ query }: AdminCall): CursorPage {
  const limit = readNatural(query.get('limit'), defaultLimit);
  if (limit === 0) throw adminFailure.badPagination('limit must be greater than 0');
  const cursor = query.get('cursor') ?? '';
  return { limit: Math.min(limit, maxLimit), after: cursor === '' ? null : readCursor(cursor) };
}

const timeLayout = '"2006-01-02T15:04:05Z07:00"';

const position = z.object({ created_at: z.string().default(''), id: z.string().default('') });

function readCursor(cursor: string): Position {
  const refuse = (problem: string) => adminFailure.badPagination(`invalid cursor${problem}`);
  const { text, badByte } = base64urlText(cursor);
  if (badByte !== null) throw refuse(` encoding: illegal base64 data at input byte ${badByte}`);
  const problem = jsonSyntaxError(text);
  if (problem !== null) throw refuse(`: ${problem}`);
  const read = position.safeParse(JSON.parse(text));
  if (!read.success || read.data.id === '') throw refuse(': missing id');
  const { created_at: createdAt, id } = read.data;
  if (!isUuid(id)) throw refuse(`: ${uuidProblem(id)}`);
  if (createdAt === '') throw refuse(': missing created_at');
  try {
    epochMs(createdAt);
  } catch {
    // Nothing but a moment can be read on from.
    throw refuse(
      `: parsing time ${JSON.stringify(createdAt)} as ${timeLayout}: cannot parse ${JSON.stringify(createdAt)} as "2006"`,
    );
  }
  return { createdAt, id };
}

/** A cursor is opaque to clients. */
export const writeCursor = ({ createdAt, id }: Position): string =>
  Buffer.from(JSON.stringify({ created_at: rfc3339(createdAt), id })).toString('base64url');

/** The header that leads on. */
export function cursorLink({ query, request }: AdminCall, cursor: string): Record<string, string> {
  const rest = [...query.entries()].filter(([key]) => key !== 'page' && key !== 'cursor');
  const all = [...rest, ['cursor', cursor] as [string, string]].sort(([a], [b]) => (a < b ? -1 : 1));
  return { link: `<${request.path}?${new URLSearchParams(all)}>; rel="next"` };
}
