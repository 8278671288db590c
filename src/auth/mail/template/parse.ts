import { type Segment, segments, TemplateError, type Token } from './lex.ts';

/** Something that has a value. */
export type Expression =
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'pipe'; readonly stages: readonly Expression[] };

/** Names that an action gives to its value: one, or index and item of a range. */
type Names = readonly string[];

/** A node of a template. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'emit'; readonly value: Expression }
  | { readonly kind: 'set'; readonly name: string; readonly isNew: boolean; readonly value: Expression }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly names: Names;
      readonly value: Expression;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Reads a template; throws `TemplateError`. The language is a subset of Go's text/template. */
export function parseTemplate(source: string): readonly Node[] {
  const reader = { segments: segments(source), at: 0 };
  const nodes = parseList(reader);
  if (reader.at < reader.segments.length) throw new TemplateError('unexpected end or else');
  return nodes;
}

type Reader = { readonly segments: readonly Segment[]; at: number };

const keywordOf = (segment: Segment | undefined): string | null => {
  if (segment?.kind !== 'action') return null;
  const [first] = segment.tokens;
  return first?.kind === 'word' ? first.name : null;
};

/** Reads up to the `end` or `else` that closes the list, which is left for the caller. */
function parseList(reader: Reader): readonly Node[] {
  const nodes: Node[] = [];
  for (;;) {
    const segment = reader.segments[reader.at];
    const keyword = keywordOf(segment);
    if (segment === undefined || keyword === 'end' || keyword === 'else') return nodes;
    reader.at++;
    if (segment.kind === 'text') nodes.push({ kind: 'text', text: segment.text });
    else if (keyword === 'if' || keyword === 'with' || keyword === 'range') {
      nodes.push(parseBlock(reader, keyword, segment.tokens.slice(1)));
    } else nodes.push(parseSimple(segment.tokens));
  }
}

function parseBlock(reader: Reader, kind: 'if' | 'with' | 'range', tokens: readonly Token[]): Node {
  const { names, rest } = splitNames(tokens);
  const value = parsePipe(rest);
  const body = parseList(reader);
  const closing = reader.segments[reader.at++];
  if (closing?.kind !== 'action') throw new TemplateError(`${kind} is not closed`);
  if (keywordOf(closing) === 'end') return { kind, names, value, body, otherwise: [] };
  const [, next, ...more] = closing.tokens;
  if (next?.kind === 'word' && (next.name === 'if' || next.name === 'with')) {
    return { kind, names, value, body, otherwise: [parseBlock(reader, next.name, more)] };
  }
  const otherwise = parseList(reader);
  if (keywordOf(reader.segments[reader.at++]) !== 'end') throw new TemplateError(`${kind} is not closed`);
  return { kind, names, value, body, otherwise };
}

const isSign = (token: Token | undefined, sign: string): boolean =>
  token?.kind === 'sign' && token.sign === sign;

function splitNames(tokens: readonly Token[]): { readonly names: Names; readonly rest: readonly Token[] } {
  const assignment = tokens.findIndex((token) => isSign(token, ':='));
  if (assignment < 0) return { names: [], rest: tokens };
  const names = tokens
    .slice(0, assignment)
    .flatMap((token) => (token.kind === 'variable' ? [token.name] : []));
  return { names, rest: tokens.slice(assignment + 1) };
}

function parseSimple(tokens: readonly Token[]): Node {
  const [first, second] = tokens;
  if (first?.kind === 'variable' && (isSign(second, ':=') || isSign(second, '='))) {
    return { kind: 'set', name: first.name, isNew: isSign(second, ':='), value: parsePipe(tokens.slice(2)) };
  }
  return { kind: 'emit', value: parsePipe(tokens) };
}

function parsePipe(tokens: readonly Token[]): Expression {
  const cursor = { tokens, at: 0 };
  const value = pipeline(cursor);
  if (cursor.at < tokens.length) throw new TemplateError('an action has words left over');
  return value;
}

type Cursor = { readonly tokens: readonly Token[]; at: number };

function pipeline(cursor: Cursor): Expression {
  const stages = [command(cursor)];
  while (isSign(cursor.tokens[cursor.at], '|')) {
    cursor.at++;
    stages.push(command(cursor));
  }
  const [only] = stages;
  return stages.length === 1 && only !== undefined ? only : { kind: 'pipe', stages };
}

function command(cursor: Cursor): Expression {
  const first = cursor.tokens[cursor.at];
  if (first?.kind !== 'word') return operand(cursor);
  cursor.at++;
  const args: Expression[] = [];
  for (;;) {
    const next = cursor.tokens[cursor.at];
    if (next === undefined || isSign(next, '|') || isSign(next, ')')) break;
    args.push(operand(cursor));
  }
  return { kind: 'call', name: first.name, args };
}

function operand(cursor: Cursor): Expression {
  const token = cursor.tokens[cursor.at++];
  if (token === undefined) throw new TemplateError('an action is empty');
  if (token.kind === 'field' || token.kind === 'variable' || token.kind === 'literal') return token;
  if (token.kind === 'word') return { kind: 'call', name: token.name, args: [] };
  if (token.sign !== '(') throw new TemplateError(`unexpected ${token.sign}`);
  const inner = pipeline(cursor);
  if (!isSign(cursor.tokens[cursor.at++], ')')) throw new TemplateError('a parenthesis is not closed');
  return inner;
}
