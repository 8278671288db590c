import fc from 'fast-check';

/*
 * Requests that mean harm: pieces of the grammar joined with text that would end a string, a name or a statement if it
 * ever became SQL.
 */

const hostileText = fc.oneof(
  fc.constantFrom(
    "'",
    '"',
    "''; drop table films; --",
    '"; drop table films; --',
    '\\',
    '$1',
    '$$',
    '/*',
    '*/',
    '--',
    ';',
    "') or (1=1",
    "E\\'",
    'U&"x"',
    '\u0000',
    '\ud800',
    '💥',
    '%00',
    "x' union select * from secrets --",
  ),
  fc.string({ maxLength: 12 }),
);

const names = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('id', 'title', 'rating', 'facts', 'director_id', '*') },
  { weight: 2, arbitrary: fc.constantFrom('films', 'directors', 'roles', 'actors', 'best_films') },
  { weight: 2, arbitrary: hostileText },
  {
    weight: 1,
    arbitrary: hostileText.map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`),
  },
);

const path = fc
  .array(fc.tuple(fc.constantFrom('->', '->>'), fc.oneof(names, fc.constantFrom('0', '-1'))), {
    maxLength: 2,
  })
  .map((steps) => steps.map(([arrow, step]) => arrow + step).join(''));

const fields = fc
  .tuple(names, fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: path }))
  .map(([name, steps]) => name + steps);

const operators = fc.constantFrom(
  ...[
    'eq',
    'neq',
    'gt',
    'lt',
    'like',
    'ilike',
    'match',
    'in',
    'is',
    'isdistinct',
    'fts',
    'cs',
    'ov',
    'sl',
    'adj',
  ],
  ...['eq(any)', 'like(all)', 'fts(english)', "fts(x')", 'nope', ''],
);

const values = fc.oneof(
  fc.constantFrom('1', 'null', '(1,2)', '{1,2}', '{a,"b"}', 'true', '[1,2)'),
  hostileText,
  hostileText.map((text) => `(${text},"${text}")`),
);

const conditions = fc
  .tuple(fc.constantFrom('', 'not.'), operators, values)
  .map(([not, operator, value]) => `${not}${operator}.${value}`);

const { item } = fc.letrec<{ item: string; list: string }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    fields,
    fc.tuple(names, fields).map(([alias, field]) => `${alias}:${field}`),
    fc.tuple(fields, fc.constantFrom('count()', 'sum()', 'max()')).map(([field, call]) => `${field}.${call}`),
    fc
      .tuple(
        fc.constantFrom('', '...', 'x:'),
        names,
        fc.constantFrom('', '!inner', "!h'", '!left'),
        tie('list'),
      )
      .map(([prefix, name, hint, list]) => `${prefix}${name}${hint}(${list})`),
  ),
  list: fc.array(tie('item'), { maxLength: 3 }).map((items) => items.join(',')),
}));

const selects = fc.array(item, { maxLength: 4 }).map((items) => items.join(','));

const trees = fc
  .tuple(
    fc.constantFrom('and', 'or', 'not.or', 'films.or'),
    fc.array(fc.tuple(fields, conditions), { maxLength: 3 }),
  )
  .map(([key, list]): [string, string] => [
    key,
    `(${list.map(([name, test]) => `${name}.${test}`).join(',')})`,
  ]);

const orders = fc
  .array(fc.tuple(fields, fc.constantFrom('', '.asc', '.desc.nullslast', ".x'")), {
    minLength: 1,
    maxLength: 3,
  })
  .map((terms): [string, string] => ['order', terms.map(([name, suffix]) => name + suffix).join(',')]);

const parameters = fc.oneof(
  selects.map((list): [string, string] => ['select', list]),
  fc.tuple(fields, conditions),
  trees,
  orders,
  fc.tuple(
    fc.constantFrom('limit', 'offset', 'films.limit', 'columns', 'on_conflict'),
    fc.oneof(fc.constantFrom('1', '0', '-1'), hostileText),
  ),
);

/** A request of any method with hostile text wherever text can stand. */
export type HostileRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

const paths = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('/films', '/directors', '/roles') },
  { weight: 2, arbitrary: fc.constantFrom('/rpc/add_them', '/rpc/best_films', '/rpc/take_json') },
  { weight: 1, arbitrary: hostileText.map((text) => `/${encodeURIComponent(text.toWellFormed())}`) },
  { weight: 1, arbitrary: hostileText.map((text) => `/rpc/${encodeURIComponent(text.toWellFormed())}`) },
);

const preferences = fc
  .array(
    fc.constantFrom(
      ...['count=exact', 'count=planned', 'count=estimated', 'return=representation', 'return=headers-only'],
      ...[
        'resolution=merge-duplicates',
        'resolution=ignore-duplicates',
        'missing=default',
        'handling=strict',
      ],
      ...['max-affected=1', "timezone='", 'tx=rollback'],
    ),
    { maxLength: 3 },
  )
  .map((items) => items.join(', '));

const accepts = fc.constantFrom(
  ...[
    '*/*',
    'text/csv',
    'application/vnd.pgrst.object+json',
    'application/vnd.pgrst.array+json;nulls=stripped',
  ],
);

const bodies = fc.oneof(
  fc
    .tuple(fc.constantFrom('id', 'title', 'a', 'facts'), hostileText)
    .map((pair) => JSON.stringify(Object.fromEntries([pair]))),
  fc.dictionary(hostileText, hostileText, { maxKeys: 2 }).map((object) => JSON.stringify([object, object])),
  hostileText,
);

/** Hostile requests. */
export const hostileRequests: fc.Arbitrary<HostileRequest> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'HEAD'),
  path: paths,
  query: fc
    .array(parameters, { maxLength: 5 })
    .map((pairs) =>
      pairs
        .map(
          ([key, value]) =>
            `${encodeURIComponent(key.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`,
        )
        .join('&'),
    ),
  headers: fc.record({ prefer: preferences, accept: accepts }),
  body: bodies,
});
