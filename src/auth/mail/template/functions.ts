import { TemplateError } from './lex.ts';

type Fn = (...args: readonly unknown[]) => unknown;

/** What Go's templates count as true: anything but false, zero, nil and the empty. */
export function isTrue(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '' || value === 0) return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

const isNil = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Text of a value as it appears in a mail; what is missing is empty, but for functions, which see Go's `<nil>`. */
export function textOf(value: unknown): string {
  return isNil(value) ? '' : printed(value);
}

/** A number of a user's data as Go prints floats: with an exponent from a million on, and below a ten-thousandth. */
function printedNumber(value: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const size = Number(exponent);
  if (size >= -4 && size < 6) return String(value);
  return `${mantissa}e${size < 0 ? '-' : '+'}${String(Math.abs(size)).padStart(2, '0')}`;
}

/** A value as Go prints it: `map[a:1 b:<nil>]`, `[1 2]`. */
function printed(value: unknown): string {
  if (isNil(value)) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`;
  if (typeof value === 'number') return printedNumber(value);
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([name, member]) => `${name}:${printed(member)}`).join(' ')}]`;
}

/** A member of a map or list; only own members count, so that nothing of JavaScript is reachable. */
export function memberOf(value: unknown, key: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const name = String(key);
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** Values one after the other, as Go's `Sprint` writes them: with a space between two that are both no text. */
const sprint = (args: readonly unknown[]): string =>
  args
    .map((value, i) => {
      const isApart = i > 0 && typeof value !== 'string' && typeof args[i - 1] !== 'string';
      return `${isApart ? ' ' : ''}${printed(value)}`;
    })
    .join('');

const isSame = (a: unknown, b: unknown): boolean => {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  return a === b || (typeof a !== typeof b && textOf(a) === textOf(b));
};

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [textOf(a), textOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

/** The verbs of printf that mails use; width and flags are not among them. What goes amiss is said as Go says it. */
function printf(format: unknown, ...args: readonly unknown[]): string {
  let next = 0;
  const text = textOf(format).replace(/%(%|[svdqt])/g, (_, verb: string) => {
    if (verb === '%') return '%';
    if (next >= args.length) return `%!${verb}(MISSING)`;
    const value = args[next++];
    if (isNil(value)) return verb === 'v' ? '<nil>' : `%!${verb}(<nil>)`;
    return verb === 'q' ? JSON.stringify(printed(value)) : printed(value);
  });
  const extra = args
    .slice(next)
    .map((value) => (isNil(value) ? '<nil>' : `${goTypeOf(value)}=${printed(value)}`));
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

/** The type that Go gives to a member of a user's data. */
function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  return typeof value === 'number' ? 'float64' : typeof value === 'boolean' ? 'bool' : 'string';
}

const slice = (value: unknown, from: unknown = 0, to: unknown = undefined): unknown => {
  const end = to === undefined ? undefined : Number(to);
  return Array.isArray(value) ? value.slice(Number(from), end) : textOf(value).slice(Number(from), end);
};

/** The functions of templates, as Go defines them. */
const templateFunctions: Readonly<Record<string, Fn>> = {
  and: (...args) => {
    const first = args.findIndex((value) => !isTrue(value));
    return first === -1 ? args.at(-1) : args[first];
  },
  or: (...args) => args.find(isTrue) ?? args.at(-1),
  not: (value) => !isTrue(value),
  eq: (first, ...rest) => rest.some((value) => isSame(first, value)),
  ne: (a, b) => !isSame(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  len: lengthOf,
  index: (value, ...keys) => keys.reduce(memberOf, value),
  slice,
  print: (...args) => sprint(args),
  println: (...args) => `${args.map(printed).join(' ')}\n`,
  printf,
  urlquery: (...args) => encodeURIComponent(sprint(args)).replaceAll('%20', '+'),
  html: (...args) => sprint(args),
  js: (...args) => sprint(args),
};

/** A function by name; throws `TemplateError` for one that there is not. */
export function templateFunction(name: string): Fn {
  const found = Object.hasOwn(templateFunctions, name) ? templateFunctions[name] : undefined;
  if (found === undefined) throw new TemplateError(`function ${JSON.stringify(name)} is not defined`);
  return found;
}
