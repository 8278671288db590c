import { compile, type Sql, sql } from '../../pg/sql/sql.ts';
import { printArray } from './array-text.ts';
import type { Change, ColumnInfo, RelationInfo } from './model.ts';
import { columnsText, type RowSet } from './row-key.ts';
import { typeName } from './sql-operators.ts';

/** Rows that are gone: policies are held against what the stream tells of them. */
export class DeletedRows implements RowSet {
  readonly relation: RelationInfo;
  readonly #changes: Change[] = [];
  readonly #places = new Map<Change, number>();
  #known: { readonly of: number; readonly columns: readonly ColumnInfo[] } | null = null;

  constructor(relation: RelationInfo) {
    this.relation = relation;
  }

  get size(): number {
    return this.#changes.length;
  }

  placeOf(change: Change): number | null {
    if (change.old === null) return null;
    const known = this.#places.get(change);
    if (known !== undefined) return known;
    this.#places.set(change, this.#changes.length);
    return this.#changes.push(change) - 1;
  }

  /** Columns whose values are known, of all the rows. */
  get columns(): readonly ColumnInfo[] {
    if (this.#known?.of !== this.size) {
      const isKnown = ({ name }: ColumnInfo): boolean => this.#changes.every(({ old }) => old?.has(name));
      this.#known = { of: this.size, columns: this.relation.columns.filter(isKnown) };
    }
    return this.#known.columns;
  }

  textOf(places: readonly number[]): string {
    const { columns } = this;
    const rows = places.map((place) =>
      columns.map(({ name }) => this.#changes[place]?.old?.get(name) ?? null),
    );
    return printArray(columnsText(rows, columns.length));
  }
}

/** Names that no column has: a column that is not known must not be found outside of the row. */
const outer = (name: string): Sql => sql.ident(`ownbase asked ${name}`);

/**
 * The places of the rows for which the policy holds. The row stands under the table's name, as policies call it; a policy
 * that reads a column which is not known fails. `rows` is the text of the rows, or `$1`.
 */
export function deletedQuestion({ relation, columns }: DeletedRows, policy: string, rows: Sql): string {
  const lists = columns.map((_, i) => sql`(${rows}::text[])[${sql.fromServer(String(i + 1))}]::text[]`);
  const values = columns.map(({ type }, i) => sql`asked.${outer(String(i))}::${typeName(type)}`);
  const named = columns.map(({ name }, i) => sql`${values[i] ?? sql`null`} as ${sql.ident(name)}`);
  // A policy may hand the whole row to a function of the table's type.
  const row =
    columns.length === relation.columns.length
      ? sql`unnest(array[row(${sql.join(values)})::${sql.ident(relation.schema, relation.name)}])`
      : sql`(select ${sql.join(named)})`;
  const names = [...columns.map((_, i) => outer(String(i))), outer('place')];
  return compile(sql`
    select string_agg(asked.${outer('place')}::text, ',')
    from unnest(${sql.join(lists)}) with ordinality as asked (${sql.join(names)})
    where exists (select from ${row} as ${sql.ident(relation.name)} where ${sql.fromServer(policy)})`).text;
}
