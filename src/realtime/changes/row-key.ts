import { printArray } from './array-text.ts';
import type { Change, RelationInfo } from './model.ts';

/** The changed row's primary key in the server's print; null when a part of it is not known. */
function primaryKeyOf({ relation, row }: Change): readonly string[] | null {
  const key = relation.primaryKey.map(({ name }) => row?.get(name) ?? null);
  return key.every((part) => part !== null) ? key : null;
}

/** Names who asks about which relation: one question for all rows. */
export const visibilityKey = (role: string, claims: string, { oid }: RelationInfo): string =>
  `${oid}\0${role}\0${claims}`;

/** Rows of one relation, each once: what questions about visibility point into. */
export interface RowSet {
  readonly relation: RelationInfo;
  readonly size: number;
  /** The place of a change's row, which is added when it is new; null when it cannot be asked about. */
  placeOf(change: Change): number | null;
  /** What the question needs of the rows at these places, as text. */
  textOf(places: readonly number[]): string;
}

/** Rows that are there: they are asked about by their keys. */
export class AskedRows implements RowSet {
  readonly relation: RelationInfo;
  readonly #keys: (readonly string[])[] = [];
  readonly #places = new Map<string, number>();
  #text: { readonly of: number; readonly text: string } | null = null;

  constructor(relation: RelationInfo) {
    this.relation = relation;
  }

  get size(): number {
    return this.#keys.length;
  }

  placeOf(change: Change): number | null {
    const key = primaryKeyOf(change);
    if (key === null) return null;
    const [only = ''] = key;
    const name = key.length === 1 ? only : JSON.stringify(key);
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    this.#places.set(name, this.#keys.length);
    return this.#keys.push(key) - 1;
  }

  /** The place of a row by its key, for keys of one column. */
  placeOfText(text: string): number | undefined {
    return this.#places.get(text);
  }

  /** The keys at these places as text: an array of the key's values, or of one such array per column of the key. */
  textOf(places: readonly number[]): string {
    if (places.length !== this.#keys.length) return keysText(places.map((place) => this.#keys[place] ?? []));
    if (this.#text?.of !== places.length) this.#text = { of: places.length, text: keysText(this.#keys) };
    return this.#text.text;
  }
}

function keysText(keys: readonly (readonly string[])[]): string {
  const width = keys[0]?.length ?? 0;
  const columns = columnsText(keys, width);
  return width === 1 ? (columns[0] ?? '{}') : printArray(columns);
}

/** The values of rows, column by column: an array's text for each. */
export const columnsText = (rows: readonly (readonly (string | null)[])[], width: number): string[] =>
  Array.from({ length: width }, (_, i) => printArray(rows.map((row) => row[i] ?? null)));
