import { describe, expect, it } from 'vitest';
import type { Relationship, Table } from '../../../src/catalog/model.ts';
import type { RawForeignKey } from '../../../src/catalog/raw.ts';
import {
  nameKey,
  type RelationshipSources,
  relate,
  relationshipKey,
} from '../../../src/catalog/relationships.ts';

let nextId = 1;
const foreignKey = (
  table: string,
  foreignTable: string,
  columns: RawForeignKey['columns'],
  extras: Partial<RawForeignKey> = {},
): RawForeignKey => ({
  id: nextId++,
  name: `${table}_${columns.map(([own]) => own).join('_')}_fkey`,
  schema: 'api',
  table,
  tableId: 0,
  foreignSchema: 'api',
  foreignTable,
  foreignTableId: 0,
  columns,
  isUnique: false,
  isInPrimaryKey: false,
  ...extras,
});

const table = (name: string, primaryKeyColumns: readonly string[]): Table => ({
  schema: 'api',
  name,
  description: null,
  isView: false,
  insertable: true,
  updatable: true,
  deletable: true,
  primaryKeyColumns,
  columns: new Map(),
});

const sources = (parts: Partial<RelationshipSources>): RelationshipSources => ({
  foreignKeys: [],
  viewKeys: [],
  computed: [],
  tables: new Map(),
  schemas: new Set(['api']),
  ...parts,
});

const from = (parts: Partial<RelationshipSources>, name: string): readonly Relationship[] =>
  relate(sources(parts)).get(relationshipKey({ schema: 'api', name }, 'api')) ?? [];

const brief = (list: readonly Relationship[]) => list.map((item) => `${item.kind} ${item.foreignTable.name}`);

describe('relationships', () => {
  const films = foreignKey('films', 'directors', [['director_id', 'id']]);

  it('lead both ways along a foreign key', () => {
    expect(brief(from({ foreignKeys: [films] }, 'films'))).toEqual(['many-to-one directors']);
    expect(from({ foreignKeys: [films] }, 'directors')).toMatchObject([
      {
        kind: 'one-to-many',
        constraint: 'films_director_id_fkey',
        columns: [['id', 'director_id']],
        isSelf: false,
      },
    ]);
  });

  it('are one to one when the foreign key is unique', () => {
    const specs = foreignKey('specs', 'films', [['film_id', 'id']], { isUnique: true });
    expect(from({ foreignKeys: [specs] }, 'specs')).toMatchObject([{ kind: 'one-to-one', isParent: false }]);
    expect(from({ foreignKeys: [specs] }, 'films')).toMatchObject([{ kind: 'one-to-one', isParent: true }]);
  });

  it('join two tables through a junction whose primary key holds both foreign keys', () => {
    const roles = (actorIsKey: boolean) => [
      foreignKey('roles', 'films', [['film_id', 'id']], { isInPrimaryKey: true }),
      foreignKey('roles', 'actors', [['actor_id', 'id']], { isInPrimaryKey: actorIsKey }),
    ];
    expect(brief(from({ foreignKeys: roles(true) }, 'films'))).toEqual([
      'many-to-many actors',
      'one-to-many roles',
    ]);
    expect(from({ foreignKeys: roles(true) }, 'films')).toMatchObject([
      {
        junction: {
          name: 'roles',
          sourceConstraint: 'roles_film_id_fkey',
          targetConstraint: 'roles_actor_id_fkey',
          sourceColumns: [['id', 'film_id']],
          targetColumns: [['id', 'actor_id']],
        },
      },
      {},
    ]);
    expect(brief(from({ foreignKeys: roles(false) }, 'films'))).toEqual(['one-to-many roles']);
  });

  it('go through no private junction, but remember that there is one', () => {
    const junction = (column: string, target: string) =>
      foreignKey('roles', target, [[column, 'id']], { schema: 'private', isInPrimaryKey: true });
    const foreignKeys = [junction('film_id', 'films'), junction('actor_id', 'actors')];
    const index = relate(sources({ foreignKeys }));
    expect(index.get(relationshipKey({ schema: 'api', name: 'films' }, 'api'))).toEqual([]);
    expect(index.get(relationshipKey({ schema: 'api', name: 'lonely' }, 'api'))).toBeUndefined();
  });

  it('join two tables through a view of the junction that shows its whole key', () => {
    const keys = [
      foreignKey('roles', 'films', [['film_id', 'id']], { schema: 'private', isInPrimaryKey: true }),
      foreignKey('roles', 'actors', [['actor_id', 'id']], { schema: 'private', isInPrimaryKey: true }),
    ];
    const view = { schema: 'api', name: 'parts' };
    const viewKeys = keys.map((key) => ({
      constraintId: key.id,
      kind: 'foreign' as const,
      view,
      columns: key.columns.map(([own]) => [own]),
    }));
    const tables = (columns: readonly string[]) =>
      new Map([[nameKey('api', 'parts'), { ...table('parts', columns), isView: true }]]);
    const found = (columns: readonly string[]) =>
      brief(from({ foreignKeys: keys, viewKeys, tables: tables(columns) }, 'films'));
    expect(found(['film_id', 'actor_id'])).toEqual(['many-to-many actors', 'one-to-many parts']);
    expect(found(['film_id'])).toEqual(['one-to-many parts']);
  });

  it('go through each name that a view gives to a key column', () => {
    const view = { schema: 'api', name: 'films_view' };
    const viewKeys = [
      { constraintId: films.id, kind: 'foreign' as const, view, columns: [['director', 'boss']] },
    ];
    const found = from({ foreignKeys: [films], viewKeys }, 'films_view');
    expect(found).toMatchObject([
      { kind: 'many-to-one', columns: [['boss', 'id']], tableIsView: true, foreignTableIsView: false },
      { kind: 'many-to-one', columns: [['director', 'id']] },
    ]);
  });

  it('reach views over private tables, and no private table', () => {
    const hidden = foreignKey('films', 'directors', [['director_id', 'id']], {
      schema: 'private',
      foreignSchema: 'private',
    });
    const viewKeys = [
      {
        constraintId: hidden.id,
        kind: 'foreign' as const,
        view: { schema: 'api', name: 'films' },
        columns: [['director_id']],
      },
      {
        constraintId: hidden.id,
        kind: 'referenced' as const,
        view: { schema: 'api', name: 'directors' },
        columns: [['id']],
      },
    ];
    const index = relate(sources({ foreignKeys: [hidden], viewKeys }));
    expect([...index.values()].flat().map(({ table: own, foreignTable }) => [own, foreignTable])).toEqual([
      [
        { schema: 'api', name: 'films' },
        { schema: 'api', name: 'directors' },
      ],
      [
        { schema: 'api', name: 'directors' },
        { schema: 'api', name: 'films' },
      ],
    ]);
  });

  it('are replaced by a computed one of the same name', () => {
    const computed = [
      {
        schema: 'api',
        name: 'directors',
        tableSchema: 'api',
        table: 'films',
        foreignSchema: 'api',
        foreignTable: 'people',
        isToOne: true,
      },
    ];
    expect(brief(from({ foreignKeys: [films], computed }, 'films'))).toEqual(['computed people']);
    expect(brief(from({ foreignKeys: [films], computed }, 'directors'))).toEqual(['one-to-many films']);
  });

  it('are listed by target, self references last, to-many first', () => {
    const keys = [
      foreignKey('orders', 'orders', [['parent_id', 'id']]),
      foreignKey('orders', 'addresses', [['shipping_id', 'id']]),
      foreignKey('orders', 'addresses', [['billing_id', 'id']]),
    ];
    const found = from({ foreignKeys: keys }, 'orders');
    expect(brief(found)).toEqual([
      'many-to-one addresses',
      'many-to-one addresses',
      'one-to-many orders',
      'many-to-one orders',
    ]);
    expect(found[0]).toMatchObject({ constraint: 'orders_billing_id_fkey' });
    expect(found[2]).toMatchObject({ isSelf: true });
  });
});
