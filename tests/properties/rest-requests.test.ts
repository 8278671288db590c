import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/pg/sql/sql.ts';
import { parseRequest } from '../../src/rest/parse/api-request.ts';
import type {
  Condition,
  FieldReference,
  LogicTree,
  OrderTerm,
  SelectItem,
} from '../../src/rest/parse/model.ts';
import { parseQueryParams, type QueryParams } from '../../src/rest/parse/query-params.ts';
import { Reader } from '../../src/rest/parse/reader.ts';
import { selectList } from '../../src/rest/parse/select.ts';
import { planAction } from '../../src/rest/plan/plan.ts';
import { planWholeRead } from '../../src/rest/plan/read.ts';
import { renderStatement } from '../../src/rest/render/statement.ts';
import { type HostileRequest, hostileRequests } from '../support/hostile.ts';
import { filmCatalog, plainRestConfig } from '../support/rest-catalog.ts';

/** The statement of a request; null when planning ends in an error. */
function statementText({ body, ...parts }: HostileRequest): string | null {
  const request = parseRequest({ ...parts, body: Buffer.from(body) }, plainRestConfig, filmCatalog.timezones);
  if (!request.ok) return assertError(request.error.code);
  const plan = planAction(request.value, filmCatalog, plainRestConfig);
  if (!plan.ok) return assertError(plan.error.code);
  const { value } = plan;
  if (value.kind !== 'read' && value.kind !== 'mutate' && value.kind !== 'call') return null;
  const { preferences } = request.value;
  return compile(renderStatement(value, { preferences, maxRows: 100 })).text;
}

function assertError(code: string): null {
  expect(code).toMatch(/^PGRST[12]\d\d$/);
  return null;
}

const quotedNames = /"(?:[^"]|"")*"/g;
/** Everything that statements are made of besides quoted names: words and signs of our own. */
const ownText = /^[\w\s.,()<>=:$*@&|~!+\-[\]'{}\\]*$/;

describe('planning', () => {
  it('is total: every request ends in a statement or in an error of ours', () => {
    fc.assert(
      fc.property(hostileRequests, (request) => void statementText(request)),
      { numRuns: 20_000 },
    );
  });

  it('keeps the text of requests out of SQL, quoted names apart', () => {
    const marker = 'zq7';
    const marked = hostileRequests.map((request) => ({
      ...request,
      query: request.query.replaceAll('%27', `${marker}%27`),
      body: request.body.replaceAll("'", `${marker}'`),
    }));
    fc.assert(
      fc.property(marked, (request) => {
        const text = statementText(request)?.replaceAll(quotedNames, 'name') ?? '';
        expect(text).not.toContain(marker);
        expect(text).toMatch(ownText);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('a shape that is planned once', () => {
  it('gives the statement and the errors that planning everything anew gives', () => {
    fc.assert(
      fc.property(hostileRequests, ({ body, ...parts }) => {
        const bytes = Buffer.from(body);
        const parsed = parseRequest({ ...parts, body: bytes }, plainRestConfig, filmCatalog.timezones);
        if (!parsed.ok || !('relation' in parsed.value.action)) return;
        const request = parsed.value;
        const relation = { schema: 'public', name: parsed.value.action.relation };
        if (filmCatalog.table(relation.schema, relation.name) === undefined) return;
        const plan = planAction(request, filmCatalog, plainRestConfig);
        const anew = planWholeRead(relation, request, filmCatalog, plainRestConfig);
        if (!anew.ok) expect(plan).toEqual(anew);
        else if (plan.ok && (plan.value.kind === 'read' || plan.value.kind === 'mutate')) {
          const options = { preferences: request.preferences, maxRows: 100 };
          const whole = renderStatement({ ...plan.value, read: anew.value }, options);
          expect(compile(renderStatement(plan.value, options))).toEqual(compile(whole));
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('reading', () => {
  it('finds the same in a text whether or not it keeps account of what it expects', () => {
    const texts = hostileRequests.map(({ query }) => decodeURIComponent(query));
    fc.assert(
      fc.property(texts, (text) => {
        expect(selectList(new Reader(text, true))).toEqual(selectList(new Reader(text, false)));
      }),
      { numRuns: 5_000 },
    );
  });
});

const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !text.includes('\0'));
const quote = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

const reference: fc.Arbitrary<FieldReference> = fc.record({
  name,
  path: fc.array(
    fc.oneof(
      fc.record({ arrow: fc.constantFrom('->', '->>'), kind: fc.constant('key' as const), text: name }),
      fc.record({
        arrow: fc.constantFrom('->', '->>'),
        kind: fc.constant('index' as const),
        text: fc.integer({ min: -99, max: 99 }).map((n) => (n < 0 ? String(n) : `+${n}`)),
      }),
    ),
    { maxLength: 2 },
  ),
});

/** Before a closing parenthesis the grammar takes an index for a key. */
const enclosed = reference.filter(({ path }) => path.at(-1)?.kind !== 'index');

const printReference = ({ name: field, path }: FieldReference): string =>
  quote(field) +
  path
    .map(({ arrow, kind, text }) => arrow + (kind === 'key' ? quote(text) : text.replace('+', '')))
    .join('');

const value = fc.string({ maxLength: 8 });

const condition: fc.Arbitrary<Condition> = fc.record({
  negated: fc.boolean(),
  operation: fc.oneof(
    fc.record({
      kind: fc.constant('simple' as const),
      operator: fc.constantFrom('neq', 'cs', 'cd', 'ov', 'sl', 'sr', 'nxr', 'nxl', 'adj'),
      value,
    }),
    fc.record({
      kind: fc.constant('quantified' as const),
      operator: fc.constantFrom('eq', 'gte', 'gt', 'lte', 'lt', 'like', 'ilike', 'match', 'imatch'),
      quantifier: fc.constantFrom('any', 'all', null),
      value,
    }),
    fc.record({ kind: fc.constant('in' as const), values: fc.array(value, { minLength: 1, maxLength: 3 }) }),
    fc.record({
      kind: fc.constant('is' as const),
      operand: fc.constantFrom('null', 'not_null', 'true', 'false', 'unknown'),
    }),
    fc.record({ kind: fc.constant('isdistinct' as const), value }),
    fc.record({
      kind: fc.constant('search' as const),
      operator: fc.constantFrom('fts', 'plfts', 'phfts', 'wfts'),
      language: fc.constantFrom('english', null),
      value,
    }),
  ),
});

function printCondition({ negated, operation }: Condition, shown: (text: string) => string): string {
  const not = negated ? 'not.' : '';
  switch (operation.kind) {
    case 'simple':
      return `${not}${operation.operator}.${shown(operation.value)}`;
    case 'quantified': {
      const quantifier = operation.quantifier === null ? '' : `(${operation.quantifier})`;
      return `${not}${operation.operator}${quantifier}.${shown(operation.value)}`;
    }
    case 'in':
      return `${not}in.(${operation.values.map(quote).join(',')})`;
    case 'is':
      return `${not}is.${operation.operand}`;
    case 'isdistinct':
      return `${not}isdistinct.${shown(operation.value)}`;
    case 'search': {
      const language = operation.language === null ? '' : `(${operation.language})`;
      return `${not}${operation.operator}${language}.${shown(operation.value)}`;
    }
  }
}

const parse = (key: string, text: string): QueryParams => {
  const outcome = parseQueryParams(`${encodeURIComponent(key)}=${encodeURIComponent(text)}`, false);
  if (!outcome.ok) throw new Error(`${outcome.error.message}: ${String(outcome.error.details)}`);
  return outcome.value;
};

describe('what is printed is read again as it was', () => {
  const filter = fc
    .tuple(reference, condition)
    .map(([field, tested]) => ({ kind: 'filter' as const, field, ...tested }));

  it('filters', () => {
    fc.assert(
      fc.property(filter, (original) => {
        const printed = printCondition(original, (text) => text);
        expect(parse(printReference(original.field), printed).filters).toEqual([
          { path: [], value: original },
        ]);
      }),
    );
  });

  const { tree } = fc.letrec<{ tree: LogicTree; group: LogicTree }>((tie) => ({
    tree: fc.oneof({ depthSize: 'small', maxDepth: 3 }, filter, tie('group')),
    group: fc.record({
      kind: fc.constant('group' as const),
      negated: fc.boolean(),
      operator: fc.constantFrom('and', 'or'),
      trees: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
    }),
  }));
  const printTree = (logic: LogicTree): string =>
    logic.kind === 'filter'
      ? `${printReference(logic.field)}.${printCondition(logic, quote)}`
      : `${logic.negated ? 'not.' : ''}${logic.operator}(${logic.trees.map(printTree).join(',')})`;

  it('logic trees', () => {
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1, maxLength: 3 }), (trees) => {
        const [logic] = parse('or', `(${trees.map(printTree).join(',')})`).logic;
        expect(logic?.value).toEqual({ kind: 'group', negated: false, operator: 'or', trees });
      }),
    );
  });

  const term: fc.Arbitrary<OrderTerm> = fc.record({
    relation: fc.option(name),
    field: enclosed,
    direction: fc.constantFrom('asc', 'desc', null),
    nulls: fc.constantFrom('first', 'last', null),
  });
  const printTerm = ({ relation, field, direction, nulls }: OrderTerm): string => {
    const column = relation === null ? printReference(field) : `${quote(relation)}(${printReference(field)})`;
    return `${column}${direction === null ? '' : `.${direction}`}${nulls === null ? '' : `.nulls${nulls}`}`;
  };

  it('orders', () => {
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 3 }), (terms) => {
        expect(parse('order', terms.map(printTerm).join(',')).order[0]?.value).toEqual(terms);
      }),
    );
  });

  const { item } = fc.letrec<{ item: SelectItem; relation: SelectItem }>((tie) => ({
    item: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      fc.record({
        kind: fc.constant('field' as const),
        field: enclosed,
        aggregate: fc.constantFrom('sum', 'avg', 'count', 'max', 'min', null),
        aggregateCast: fc.constant(null),
        cast: fc.constantFrom('int', 'double precision', null),
        alias: fc.option(name),
      }),
      tie('relation'),
    ),
    relation: fc
      .record({
        kind: fc.constant('relation' as const),
        isSpread: fc.boolean(),
        name,
        alias: fc.option(name),
        hint: fc.option(name),
        join: fc.constantFrom('inner', 'left', null),
        items: fc.array(tie('item'), { maxLength: 3 }),
      })
      .map((relation) => (relation.isSpread ? { ...relation, alias: null } : relation)),
  }));

  function printItem(selected: SelectItem): string {
    const alias = selected.alias === null ? '' : `${quote(selected.alias)}:`;
    if (selected.kind === 'field') {
      const cast = selected.cast === null ? '' : `::${selected.cast}`;
      const call = selected.aggregate === null ? '' : `.${selected.aggregate}()`;
      return `${alias}${printReference(selected.field)}${cast}${call}`;
    }
    const hint = selected.hint === null ? '' : `!${quote(selected.hint)}`;
    const join = selected.join === null ? '' : `!${selected.join}`;
    const items = selected.items.map(printItem).join(',');
    return `${selected.isSpread ? '...' : ''}${alias}${quote(selected.name)}${hint}${join}(${items})`;
  }

  it('select lists', () => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 4 }), (items) => {
        expect(parse('select', items.map(printItem).join(',')).select).toEqual(items);
      }),
    );
  });
});
