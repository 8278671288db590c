import { describe, expect, it } from 'vitest';
import { columnOrigins } from '../../../src/catalog/view-columns.ts';

const entry = (resno: number, table: number, column: number, expression = '{VAR :varno 3}', name = 'x') =>
  `{TARGETENTRY :expr ${expression} :resno ${resno} :resname ${name} :ressortgroupref 0 ` +
  `:resorigtbl ${table} :resorigcol ${column} :resjunk false}`;

const query = (targets: string, rtable = '<>') =>
  `{QUERY :commandType 1 :cteList <> :rtable (${rtable}) :targetList (${targets}) :override 0 :groupClause <>}`;

describe('the origins of a view', () => {
  it('are read from the outermost target list', () => {
    expect(columnOrigins(`(${query(`${entry(1, 16549, 1)} ${entry(2, 16549, 4)}`)})`)).toEqual([
      { viewColumn: 1, relationId: 16549, column: 1 },
      { viewColumn: 2, relationId: 16549, column: 4 },
    ]);
  });

  it('leave out computed columns', () => {
    expect(columnOrigins(`(${query(entry(1, 0, 0))})`)).toEqual([]);
  });

  it('are not taken from subqueries, before or inside the target list', () => {
    const inner = query(entry(1, 999, 9));
    const outer = query(
      entry(1, 16549, 2, `{SUBLINK :subselect ${inner}}`),
      `{RANGETBLENTRY :rtekind 1 :subquery ${inner}}`,
    );
    expect(columnOrigins(`(${outer})`)).toEqual([{ viewColumn: 1, relationId: 16549, column: 2 }]);
  });

  it('survive names full of braces and field names', () => {
    const hostile = 'a\\{b\\}\\ :resno\\ 7\\ :targetList\\ \\\\';
    expect(columnOrigins(`(${query(entry(1, 16549, 3, undefined, hostile))})`)).toEqual([
      { viewColumn: 1, relationId: 16549, column: 3 },
    ]);
  });
});
