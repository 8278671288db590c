import type { Call } from '../../call.ts';
import { adminFailure } from '../../failures/admin.ts';

/** A page that was asked for. */
export type Page = { readonly page: number; readonly perPage: number };

const defaultPerPage = 50;

/** The page of a request; empty parameters count as absent. */
export function readPage(call: Call): Page {
  return {
    page: readNatural(call.query.get('page'), 1),
    perPage: readNatural(call.query.get('per_page'), defaultPerPage),
  };
}

/** A whole number of a query; an empty one counts as absent. */
export function readNatural(text: string | null, fallback: number): number {
  if (text === null || text === '') return fallback;
  if (!/^\d{1,15}$/.test(text)) {
    const problem = /^\d+$/.test(text) ? 'value out of range' : 'invalid syntax';
    throw adminFailure.badPagination(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${problem}`);
  }
  return Number(text);
}

/** Direction of the only order there is, by creation. */
export function readDirection(call: Call): 'asc' | 'desc' {
  const sort = call.query.get('sort');
  if (sort === null || sort === '') return 'desc';
  const [, field = '', direction = 'desc'] = /^(\S*)(?: (.*))?$/.exec(sort) ?? [];
  if (field !== 'created_at') throw adminFailure.badSort(`bad field for sort '${field}'`);
  const wanted = direction.toLowerCase();
  if (wanted !== 'asc' && wanted !== 'desc') {
    throw adminFailure.badSort(`bad direction for sort '${direction}', only 'asc' and 'desc' allowed`);
  }
  return wanted;
}

/**
 * Headers that lead through the pages. Clients read the digit after the first `=` of a link, so `page` goes first.
 * Upstream: internal/api/pagination.go.
 */
export function pageHeaders(call: Call, { page, perPage }: Page, total: number): Record<string, string> {
  const pages = perPage === 0 ? 0 : Math.ceil(total / perPage);
  const link = (to: number, rel: string): string => {
    const rest = [...call.query.entries()]
      .filter(([key]) => key !== 'page')
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const query = new URLSearchParams([['page', String(to)], ...rest]);
    return `<${call.request.path}?${query}>; rel="${rel}"`;
  };
  const next = pages > page ? [link(page + 1, 'next')] : [];
  return { link: [...next, link(pages, 'last')].join(', '), 'x-total-count': String(total) };
}
