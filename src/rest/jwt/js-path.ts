import { err, ok, type Result } from '../../core/result.ts';

/** How the last step of a path picks one text of an array. */
type TextMatch = 'equals' | 'not-equals' | 'starts-with' | 'ends-with' | 'contains';

/** One step into a JSON value. */
type JsPathStep =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'filter'; readonly match: TextMatch; readonly text: string };

/** A path to a claim: `.property[0].attr.detail[?(@ == "role1")]`. */
export type JsPath = readonly JsPathStep[];

/** The path of a token's `role` claim. */
export const defaultRoleClaimPath: JsPath = [{ kind: 'key', key: 'role' }];

const operators: Readonly<Record<TextMatch, string>> = {
  'ends-with': '==^',
  equals: '==',
  'not-equals': '!=',
  'starts-with': '^==',
  contains: '*==',
};

const matches: Readonly<Record<string, TextMatch>> = Object.fromEntries(
  // The keys of `operators` are the matches, which the type of the entries has lost.
  Object.entries(operators).map(([match, operator]) => [operator, match as TextMatch]),
);

const step =
  /^(?:\.(?:(?<key>[\p{L}\p{N}_$@]+)|"(?<quoted>[^"]*)")|\[(?<index>\d+)\]|\[\?\(@\s*(?<operator>==\^|==|!=|\^==|\*==)\s*"(?<text>[^"]*)"\)\]$)/u;

/**
 * Parses a path; the error says where it went wrong. A filter may only come last.
 * Upstream: PostgREST src/PostgREST/Config/JSPath.hs.
 */
export function parseJsPath(source: string): Result<JsPath, string> {
  const steps: JsPathStep[] = [];
  let rest = source;
  while (rest !== '') {
    const match = step.exec(rest);
    if (match?.groups === undefined)
      return err(`failed to parse role-claim-key value (${source}) at "${rest}"`);
    rest = rest.slice(match[0].length);
    steps.push(toStep(match.groups));
  }
  return steps.length === 0 ? err('failed to parse role-claim-key value: it is empty') : ok(steps);
}

function toStep({ key, quoted, index, operator, text }: Record<string, string | undefined>): JsPathStep {
  if (index !== undefined) return { kind: 'index', index: Number(index) };
  if (operator !== undefined)
    return { kind: 'filter', match: matches[operator] ?? 'equals', text: text ?? '' };
  return { kind: 'key', key: key ?? quoted ?? '' };
}

/** Writes a path so that parsing it gives it back. */
export const printJsPath = (path: JsPath): string => path.map(printStep).join('');

function printStep(part: JsPathStep): string {
  switch (part.kind) {
    case 'key':
      return `.${JSON.stringify(part.key)}`;
    case 'index':
      return `[${part.index}]`;
    case 'filter':
      return `[?(@ ${operators[part.match]} ${JSON.stringify(part.text)})]`;
  }
}

/** The value that a path leads to; undefined when it leads nowhere. */
export function walkJsPath(value: unknown, path: JsPath): unknown {
  let current = value;
  for (const part of path) {
    switch (part.kind) {
      case 'key':
        if (typeof current !== 'object' || current === null || Array.isArray(current)) return undefined;
        if (!Object.hasOwn(current, part.key)) return undefined;
        current = (current as Record<string, unknown>)[part.key];
        break;
      case 'index':
        current = Array.isArray(current) ? current[part.index] : undefined;
        break;
      case 'filter':
        current = Array.isArray(current) ? current.find((item) => isMatch(item, part)) : undefined;
        break;
    }
    if (current === undefined) return undefined;
  }
  return current;
}

function isMatch(item: unknown, { match, text }: { match: TextMatch; text: string }): boolean {
  if (typeof item !== 'string') return false;
  switch (match) {
    case 'equals':
      return item === text;
    case 'not-equals':
      return item !== text;
    case 'starts-with':
      return item.startsWith(text);
    case 'ends-with':
      return item.endsWith(text);
    case 'contains':
      return item.includes(text);
  }
}
