import type { Routine, RoutineIsolation, RoutineParameter } from './model.ts';
import type { RawRoutine } from './raw.ts';

const volatilities = { v: 'volatile', s: 'stable', i: 'immutable' } as const;

/** A routine in the model's terms. */
export const toRoutine = (raw: RawRoutine): Routine => ({
  schema: raw.schema,
  name: raw.name,
  id: raw.id,
  description: raw.description,
  parameters: raw.parameters,
  returnType: {
    isSet: raw.isSet,
    isComposite: raw.isComposite,
    isCompositeAlias: raw.isCompositeAlias,
    type: { schema: raw.returnSchema, name: raw.returnName },
  },
  volatility: volatilities[raw.volatility],
  hasVariadic: raw.hasVariadic,
  isolation: isolationOf(raw.configuration ?? []),
  settings: (raw.hoisted ?? []).map(splitSetting),
});

/** Splits `name=value` at the first `=`. */
function splitSetting(setting: string): readonly [string, string] {
  const mark = setting.indexOf('=');
  return [setting.slice(0, mark), setting.slice(mark + 1)];
}

function isolationOf(configuration: readonly string[]): RoutineIsolation | null {
  const setting = configuration.find((entry) => entry.startsWith('default_transaction_isolation'));
  return setting === undefined ? null : toIsolation(splitSetting(setting)[1]);
}

/** The isolation level that a setting's value names; an unknown one counts as the weakest. */
export function toIsolation(value: string): RoutineIsolation {
  const name = value.toLowerCase();
  return name === 'repeatable read' || name === 'serializable' ? name : 'read committed';
}

const compare = <T extends string | number | boolean>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

function compareParameters(a: readonly RoutineParameter[], b: readonly RoutineParameter[]): number {
  for (let i = 0; i < a.length; i++) {
    const left = a[i];
    const right = b[i];
    if (left === undefined || right === undefined) break;
    const order =
      compare(left.name, right.name) ||
      compare(left.type, right.type) ||
      compare(left.isRequired, right.isRequired) ||
      compare(left.isVariadic, right.isVariadic);
    if (order !== 0) return order;
  }
  return 0;
}

/**
 * Order of overloads, which decides how an ambiguous call lists them: fewest parameters first, then by description
 * and by the parameters themselves.
 * Upstream: PostgREST src/PostgREST/SchemaCache/Routine.hs.
 */
export const byOverloadOrder = (a: Routine, b: Routine): number =>
  a.parameters.length - b.parameters.length ||
  compare(a.description ?? '', b.description ?? '') ||
  compareParameters(a.parameters, b.parameters);
