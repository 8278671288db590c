import { PgFailure } from '../../pg/failure.ts';
import type { RequestDb } from '../../pg/session.ts';
import { compile, sql } from '../../pg/sql/sql.ts';
import type { Change, TypeInfo } from './model.ts';
import { typeName } from './sql-operators.ts';
import { type JsonCasts, valueToken } from './values.ts';

type Asked = { readonly type: TypeInfo; readonly texts: Set<string> };

const known = new WeakMap<TypeInfo, boolean>();

/** Whether a type, or one that it is made of, is printed by a cast of its own. */
function needsCast(type: TypeInfo): boolean {
  const answer = known.get(type);
  if (answer !== undefined) return answer;
  const found = partsOf(type).some(needsCast) || type.shape.kind === 'cast';
  known.set(type, found);
  return found;
}

function partsOf({ shape }: TypeInfo): readonly TypeInfo[] {
  if (shape.kind === 'array') return [shape.element];
  if (shape.kind === 'domain') return [shape.base];
  return shape.kind === 'composite' ? shape.attributes.map(({ type }) => type) : [];
}

/** The values in these changes whose types are printed by the database, each once. */
function valuesToCast(changes: readonly Change[]): ReadonlyMap<number, Asked> {
  const asked = new Map<number, Asked>();
  const note: JsonCasts = (type, text) => {
    const ofType = asked.get(type.oid) ?? { type, texts: new Set<string>() };
    asked.set(type.oid, ofType);
    ofType.texts.add(text);
    return null;
  };
  for (const { relation, row, old } of changes) {
    for (const { name, type } of relation.columns) {
      if (!needsCast(type)) continue;
      for (const values of [row, old]) valueToken(type, values?.get(name) ?? null, note);
    }
  }
  return asked;
}

/**
 * Has the database print values of types with a cast of their own to json (hstore, PostGIS), as `to_jsonb` does. A cast
 * that raises leaves its values to be printed as text.
 */
export async function readJsonCasts(
  changes: readonly Change[],
  db: RequestDb,
  timeoutMs: number,
): Promise<JsonCasts> {
  const printed = new Map<number, ReadonlyMap<string, string>>();
  for (const [oid, { type, texts }] of valuesToCast(changes)) {
    printed.set(oid, await print(type, [...texts], db, timeoutMs));
  }
  return (type, text) => printed.get(type.oid)?.get(text) ?? null;
}

async function print(
  type: TypeInfo,
  texts: readonly string[],
  db: RequestDb,
  timeoutMs: number,
): Promise<ReadonlyMap<string, string>> {
  const statement = compile(sql`
    select asked.text, to_jsonb(asked.text::${typeName(type)})::text
    from unnest(${[...texts]}::text[]) as asked (text)`);
  const settings = [['statement_timeout', String(timeoutMs)]] as const;
  try {
    const [result] = await db.run({ role: 'service_role', readOnly: true, settings }, [statement]);
    return new Map((result?.rows ?? []).map(([text, json]) => [text ?? '', json ?? 'null']));
  } catch (failure) {
    if (!(failure instanceof PgFailure) || failure.kind !== 'server') throw failure;
    return new Map();
  }
}
