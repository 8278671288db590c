import { StorageError } from '../errors.ts';

/** Where a listing goes on, and how it is sorted. */
export type Cursor = {
  readonly after: string;
  readonly afterTime: string | null;
  readonly sortColumn: 'name' | 'updated_at' | 'created_at' | null;
  readonly sortOrder: 'asc' | 'desc' | null;
};

const columns = ['name', 'updated_at', 'created_at'] as const;
const orders = ['asc', 'desc'] as const;

/** Text of a cursor: base64 of `key:value` lines. Upstream: encodeContinuationToken in src/storage/object.ts. */
export function encodeCursor(cursor: Cursor): string {
  const lines = [
    ['l', cursor.after],
    ['o', cursor.sortOrder],
    ['c', cursor.sortColumn],
    ['a', cursor.afterTime],
  ]
    .filter(([, value]) => value !== null && value !== '')
    .map(([key, value]) => `${key}:${value}`);
  return Buffer.from(lines.join('\n')).toString('base64');
}

/** Reads a cursor; throws `InvalidParameter` for one that was not made here. */
export function decodeCursor(text: string): Cursor {
  const fields = new Map<string, string>();
  for (const line of Buffer.from(text, 'base64').toString('utf8').split('\n')) {
    const match = /^([loca]):(.*)$/.exec(line);
    if (match === null) throw new StorageError('InvalidParameter', 'continuation token');
    fields.set(match[1] ?? '', match[2] ?? '');
  }
  const afterTime = fields.get('a') ?? null;
  if (afterTime !== null && Number.isNaN(Date.parse(afterTime))) {
    throw new StorageError('InvalidParameter', 'continuation token');
  }
  return {
    after: fields.get('l') ?? '',
    afterTime,
    sortColumn: columns.find((column) => column === fields.get('c')) ?? null,
    sortOrder: orders.find((order) => order === fields.get('o')) ?? 'asc',
  };
}
