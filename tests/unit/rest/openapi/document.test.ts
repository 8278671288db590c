import { describe, expect, it } from 'vitest';
import type { Column, Relationship, Routine, Table } from '../../../../src/catalog/model.ts';
import { openApiDocument } from '../../../../src/rest/openapi/document.ts';

const column = (name: string, type: string, extras: Partial<Column> = {}): Column => ({
  name,
  description: null,
  nullable: true,
  type,
  nominalType: type,
  maxLength: null,
  defaultValue: null,
  enumValues: [],
  identity: null,
  isGenerated: false,
  ...extras,
});

const table = (name: string, columns: readonly Column[], extras: Partial<Table> = {}): Table => ({
  schema: 'api',
  name,
  description: null,
  isView: false,
  insertable: true,
  updatable: true,
  deletable: true,
  primaryKeyColumns: [],
  columns: new Map(columns.map((item) => [item.name, item])),
  ...extras,
});

const routine = (name: string, extras: Partial<Routine> = {}): Routine => ({
  schema: 'api',
  name,
  id: 1,
  description: null,
  parameters: [],
  returnType: {
    isSet: false,
    isComposite: false,
    isCompositeAlias: false,
    type: { schema: 'pg_catalog', name: 'int4' },
  },
  volatility: 'volatile',
  hasVariadic: false,
  isolation: null,
  settings: [],
  ...extras,
});

const config = {
  openApiSecurityActive: false,
  openApiServerProxyUri: null,
  serverHost: '!4',
  serverPort: 3000,
};

type Node = { readonly [name: string]: Node } & unknown;

const document = (
  visible: { tables?: readonly Table[]; routines?: readonly Routine[]; description?: string },
  relationships: readonly Relationship[] = [],
  given: Partial<typeof config> | { openApiServerProxyUri: string } = {},
): Node =>
  JSON.parse(
    openApiDocument(
      {
        tables: visible.tables ?? [],
        routines: visible.routines ?? [],
        description: visible.description ?? null,
      },
      () => relationships,
      { ...config, ...given },
    ),
  );

const property = (
  item: Column,
  relationships: readonly Relationship[] = [],
  primaryKeyColumns: string[] = [],
): Node =>
  document({ tables: [table('films', [item], { primaryKeyColumns })] }, relationships).definitions?.films
    ?.properties?.[item.name] as Node;

describe('the document', () => {
  it('names the server, or the proxy before it', () => {
    expect(document({})).toMatchObject({ host: '0.0.0.0:3000', basePath: '/', schemes: ['http'] });
    const proxied = document({}, [], { openApiServerProxyUri: 'https://example.com/api' });
    expect(proxied).toMatchObject({ host: 'example.com:443', basePath: '/api', schemes: ['https'] });
  });

  it('takes title and description from the comment of the schema', () => {
    expect(document({}).info).toMatchObject({ title: 'PostgREST API' });
    expect(document({ description: 'My API\n\nAll of it\nhere' }).info).toMatchObject({
      title: 'My API',
      description: 'All of it\nhere',
    });
  });

  it('declares the token only when told to', () => {
    expect(document({})).not.toHaveProperty('securityDefinitions');
    expect(document({}, [], { openApiSecurityActive: true })).toMatchObject({
      securityDefinitions: { JWT: { type: 'apiKey', in: 'header', name: 'Authorization' } },
      security: [{ JWT: [] }],
    });
  });
});

describe('a relation', () => {
  it('is read and written at its path, or only read', () => {
    const tables = [
      table('films', [column('id', 'integer')]),
      table('stats', [], { insertable: false, updatable: false, deletable: false }),
    ];
    const { paths } = document({ tables });
    expect(Object.keys(paths?.['/films'] ?? {})).toEqual(['get', 'post', 'delete', 'patch']);
    expect(Object.keys(paths?.['/stats'] ?? {})).toEqual(['get']);
    expect(paths?.['/films']?.patch?.parameters).toEqual([
      { $ref: '#/parameters/rowFilter.films.id' },
      { $ref: '#/parameters/body.films' },
      { $ref: '#/parameters/preferReturn' },
    ]);
  });

  it('splits its comment into summary and description', () => {
    const { paths } = document({ tables: [table('films', [], { description: 'Films\n\nOld and new' })] });
    expect(paths?.['/films']?.get).toMatchObject({
      summary: 'Films',
      description: 'Old and new',
      tags: ['films'],
    });
  });

  it('requires the columns that cannot be null', () => {
    const tables = [table('films', [column('id', 'integer', { nullable: false }), column('name', 'text')])];
    expect(document({ tables }).definitions?.films?.required).toEqual(['id']);
  });
});

describe('a column', () => {
  it.each([
    ['integer', { type: 'integer', format: 'int32' }],
    ['bigint', { type: 'integer', format: 'int64' }],
    ['numeric', { type: 'number', format: 'numeric' }],
    ['boolean', { type: 'boolean', format: 'boolean' }],
    ['jsonb', { format: 'jsonb' }],
    ['text[]', { type: 'array', format: 'text[]', items: { type: 'string' } }],
    ['json[]', { type: 'array', format: 'json[]', items: {} }],
    ['timestamp with time zone', { type: 'string', format: 'timestamp with time zone' }],
  ])('of type %s is described', (type, expected) => {
    expect(property(column('x', type))).toEqual(expected);
  });

  it.each([
    ['integer', '42', 42],
    ['boolean', 'false', false],
    ['text', "'it'::text", 'it'],
    ['date', "'1900-01-01'::date", '1900-01-01'],
    ['integer', "nextval('s'::regclass)", undefined],
    ['timestamp with time zone', 'now()', 'now()'],
  ])('of type %s with default %s shows %s', (type, defaultValue, shown) => {
    expect(property(column('x', type, { defaultValue })).default).toEqual(shown);
  });

  it('tells of its keys', () => {
    const key: Relationship = {
      kind: 'many-to-one',
      table: { schema: 'api', name: 'films' },
      foreignTable: { schema: 'api', name: 'people' },
      isSelf: false,
      constraint: 'k',
      columns: [['x', 'id']],
      isParent: false,
      tableIsView: false,
      foreignTableIsView: false,
    };
    const shown = property(column('x', 'integer', { description: 'Who' }), [key], ['x']);
    expect(shown.description).toBe(
      "Who\n\nNote:\nThis is a Primary Key.<pk/>\nThis is a Foreign Key to `people.id`.<fk table='people' column='id'/>",
    );
  });

  it('lists the labels of its enum', () => {
    expect(property(column('x', 'api.mood', { enumValues: ['sad', 'ok'] }))).toEqual({
      type: 'string',
      format: 'api.mood',
      enum: ['sad', 'ok'],
    });
  });
});

describe('a function', () => {
  const parameter = (name: string, type: string, isVariadic = false) => ({
    name,
    type,
    unboundedType: type,
    isRequired: true,
    isVariadic,
  });

  it('is called by POST, and by GET when it does not write', () => {
    const routines = [routine('add'), routine('get', { volatility: 'stable' })];
    const { paths } = document({ routines });
    expect(Object.keys(paths?.['/rpc/add'] ?? {})).toEqual(['post']);
    expect(Object.keys(paths?.['/rpc/get'] ?? {})).toEqual(['get', 'post']);
    expect(paths?.['/rpc/get']?.get).not.toHaveProperty('parameters');
  });

  it('takes its parameters from the query or the body', () => {
    const parameters = [parameter('a', 'integer[]'), parameter('b', 'json'), parameter('c', 'text[]', true)];
    const { paths } = document({ routines: [routine('f', { volatility: 'immutable', parameters })] });
    expect(paths?.['/rpc/f']?.get?.parameters).toEqual([
      { name: 'a', required: true, in: 'query', type: 'string', format: 'integer[]' },
      { name: 'b', required: true, in: 'query', type: 'string', format: 'json' },
      {
        name: 'c',
        required: true,
        in: 'query',
        type: 'array',
        items: { type: 'string', format: 'text' },
        collectionFormat: 'multi',
      },
    ]);
    expect(paths?.['/rpc/f']?.post?.parameters).toMatchObject([
      {
        name: 'args',
        in: 'body',
        schema: { required: ['a', 'b', 'c'], properties: { b: { format: 'json' } } },
      },
      { $ref: '#/parameters/preferParams' },
    ]);
  });
});
