import type { Argument, Chain, Segment, Source } from './chain.ts';
import { type Comments, type Token, tokensOf } from './tokens.ts';

/** Reads Dart, Swift, Kotlin or Python as far as chains of calls go: names, strings and brackets, no grammar. */
export function readByTokens(text: string, comments: Comments): Source {
  const tokens = tokensOf(text, comments);
  const chains: Chain[] = [];
  readChains(tokens, [], chains);
  return {
    chains,
    literals: tokens.flatMap(({ kind, value, line }) => (kind === 'text' ? [{ text: value, line }] : [])),
    imports: importsOf(text),
    typed: new Map(),
  };
}

const IMPORT = /^\s*(?:import|from)\s+['"]?([\w.:/@-]+)['"]?(?:\s+import\s+(.+))?/;

function importsOf(text: string): Source['imports'] {
  return text.split('\n').flatMap((content, index) => {
    const [, module, names = ''] = IMPORT.exec(content) ?? [];
    return module === undefined
      ? []
      : [{ module, names: names.split(/[\s,()]+/).filter(Boolean), line: index + 1 }];
  });
}

/** Words that stand before a chain and are no part of it. */
const WORDS: ReadonlySet<string> = new Set([
  'await',
  'try',
  'return',
  'final',
  'var',
  'val',
  'let',
  'const',
  'late',
  'in',
  'not',
  'and',
  'or',
  'if',
  'else',
  'new',
  'yield',
  'throw',
]);

const isMark = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'mark' && token.value === value;

/** Reads every chain among tokens; `outer` is what a block without a receiver of its own belongs to. */
function readChains(tokens: readonly Token[], outer: readonly Segment[], chains: Chain[]): void {
  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at];
    if (token?.kind !== 'name' || WORDS.has(token.value)) {
      at += 1;
      continue;
    }
    const start = at;
    const segments: Segment[] = [];
    at = readChain(tokens, at, outer, segments, chains);
    if (segments.length > 1 || outer.length > 0) {
      const prefix = segments[0]?.args === undefined ? [] : outer;
      chains.push({ segments: [...prefix, ...segments], ...holderBefore(tokens, start) });
    }
  }
}

/** Reads one chain; yields where it ends. */
function readChain(
  tokens: readonly Token[],
  start: number,
  outer: readonly Segment[],
  segments: Segment[],
  chains: Chain[],
): number {
  let at = start;
  for (;;) {
    const token = tokens[at];
    if (token?.kind !== 'name') return at;
    at = readLink(tokens, at, outer, segments, chains);
    const next = nextLink(tokens, at);
    if (next === undefined) return at;
    at = next;
  }
}

/** Reads a name with its arguments and its block. */
function readLink(
  tokens: readonly Token[],
  start: number,
  outer: readonly Segment[],
  segments: Segment[],
  chains: Chain[],
): number {
  const token = tokens[start];
  if (token === undefined) return start;
  const { value: name, line } = token;
  let at = afterTypeArguments(tokens, start + 1);
  let args: Argument[] | undefined;
  if (isMark(tokens[at], '(')) {
    const end = closing(tokens, at);
    const inside = tokens.slice(at + 1, end);
    args = argumentsOf(inside);
    readChains(inside, [], chains);
    at = end + 1;
  }
  const hasBlock = isMark(tokens[at], '{') && tokens[at]?.line === tokens[at - 1]?.line;
  if (!hasBlock) {
    segments.push({ name, line, args });
    return at;
  }
  segments.push({ name, line, args: args ?? [] });
  const end = closing(tokens, at);
  readChains(tokens.slice(at + 1, end), [...(segments.length > 1 ? [] : outer), ...segments], chains);
  return end + 1;
}

/** Where the next name of the chain stands, after `.`, `?.`, `!.` or `..`. */
function nextLink(tokens: readonly Token[], at: number): number | undefined {
  let next = at;
  if (isMark(tokens[next], '?') || isMark(tokens[next], '!')) next += 1;
  if (!isMark(tokens[next], '.')) return undefined;
  next += 1;
  if (isMark(tokens[next], '.')) next += 1;
  return tokens[next]?.kind === 'name' ? next : undefined;
}

/** `<List<int>>(`: type arguments stand between a name and its arguments. */
function afterTypeArguments(tokens: readonly Token[], at: number): number {
  if (!isMark(tokens[at], '<')) return at;
  let depth = 0;
  for (let end = at; end < tokens.length && end < at + 40; end++) {
    if (isMark(tokens[end], '<')) depth += 1;
    if (isMark(tokens[end], '>')) depth -= 1;
    if (depth === 0) return isMark(tokens[end + 1], '(') ? end + 1 : at;
  }
  return at;
}

const PAIRS: Readonly<Record<string, number>> = { '(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1 };

/** Where the bracket that opens at a place closes; the end when it does not. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at];
    if (token?.kind === 'mark') depth += PAIRS[token.value] ?? 0;
    if (depth === 0) return at;
  }
  return tokens.length;
}

/** The arguments of a call: positions first, and the named ones together as one. */
function argumentsOf(tokens: readonly Token[]): Argument[] {
  const positional: Argument[] = [];
  const named = new Map<string, Argument>();
  for (const part of parts(tokens)) {
    const [first, second] = part;
    const isNamed = first?.kind !== 'mark' && (isMark(second, ':') || isMark(second, '='));
    if (isNamed && first !== undefined) named.set(first.value, argumentOf(part.slice(2)));
    else positional.push(argumentOf(part));
  }
  return named.size === 0 ? positional : [...positional, { members: named }];
}

function argumentOf(tokens: readonly Token[]): Argument {
  const [first] = tokens;
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) return {};
  if (tokens.every(({ kind }) => kind === 'text')) return { text: tokens.map(({ value }) => value).join('') };
  const inside = tokens.slice(1, -1);
  if (isMark(first, '[')) return { items: parts(inside).map(argumentOf) };
  if (isMark(first, '{')) return argumentsOf(inside).find(({ members }) => members !== undefined) ?? {};
  if (tokens.length === 1 && /^(true|false)$/i.test(first.value))
    return { flag: /^true$/i.test(first.value) };
  // `OAuthProvider.github`, `.github`, `Github`: what it is called is what it is.
  const isName = tokens.every(({ kind, value }) => kind === 'name' || value === '.');
  if (isName) return { text: last.value };
  const call = tokens.find((_, index) => isMark(tokens[index + 1], '('));
  if (call !== undefined && isMark(last, ')'))
    return (
      argumentsOf(tokens.slice(tokens.indexOf(call) + 2, -1)).find(({ members }) => members !== undefined) ??
      {}
    );
  return {};
}

/** Splits tokens at the commas of their own depth. */
function parts(tokens: readonly Token[]): Token[][] {
  const found: Token[][] = [];
  let part: Token[] = [];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'mark') depth += PAIRS[token.value] ?? 0;
    if (depth === 0 && isMark(token, ',')) {
      found.push(part);
      part = [];
    } else part.push(token);
  }
  return part.length === 0 ? found : [...found, part];
}

/** `final channel = await ...`: the name before the sign, and whether the value is waited for. */
function holderBefore(tokens: readonly Token[], start: number): Pick<Chain, 'assignedTo' | 'isAwaited'> {
  let at = start - 1;
  let isAwaited = false;
  for (let token = tokens[at]; token?.kind === 'name' && WORDS.has(token.value); token = tokens[at]) {
    if (token.value === 'await') isAwaited = true;
    at -= 1;
  }
  const name = tokens[at - 1];
  const isAssigned = isMark(tokens[at], '=') && name?.kind === 'name';
  return { assignedTo: isAssigned && name !== undefined ? [name.value] : [], isAwaited };
}
