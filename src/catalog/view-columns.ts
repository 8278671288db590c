/** Where a view's column comes from: a column of a relation in its FROM clause. */
export type ColumnOrigin = {
  readonly viewColumn: number;
  readonly relationId: number;
  readonly column: number;
};

const token = /\\.|[{}]|:targetList |:resno (\d+)|:resorigtbl (\d+)|:resorigcol (\d+)/gs;
// Depth of the outermost query in `({QUERY ...})`, and of the entries of its target list.
const queryDepth = 1;
const entryDepth = 2;

/**
 * Reads the origins of a view's columns from the rule's stored query. A `pg_node_tree` is nested `{NODE :field value}`;
 * braces inside names are escaped by a backslash. Only the entries of the outermost target list count.
 */
export function columnOrigins(definition: string): ColumnOrigin[] {
  const origins: ColumnOrigin[] = [];
  let depth = 0;
  let inTargetList = false;
  let viewColumn = 0;
  let relationId = 0;
  for (const match of definition.matchAll(token)) {
    const [text, resno, resorigtbl, resorigcol] = match;
    if (text === '{') depth++;
    else if (text === '}') depth--;
    else if (text === ':targetList ') inTargetList ||= depth === queryDepth;
    else if (!inTargetList || depth !== entryDepth) continue;
    else if (resno !== undefined) viewColumn = Number(resno);
    else if (resorigtbl !== undefined) relationId = Number(resorigtbl);
    else if (resorigcol !== undefined && relationId !== 0)
      origins.push({ viewColumn, relationId, column: Number(resorigcol) });
  }
  return origins;
}
