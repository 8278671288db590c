/** A template that cannot be read, or that asks for something that is not there. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** A stretch of a template: text, or the inside of an action. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[] };

/** A word of an action. */
export type Token =
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'word'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'sign'; readonly sign: '(' | ')' | '|' | ':=' | '=' | ',' };

/** Splits a template at its actions; `{{-` and `-}}` take the white space beside them away, comments disappear. */
export function segments(source: string): readonly Segment[] {
  const found: Segment[] = [];
  let position = 0;
  let trimNext = false;
  const pushText = (text: string): void => {
    const trimmed = trimNext ? text.replace(/^\s+/, '') : text;
    if (trimmed !== '') found.push({ kind: 'text', text: trimmed });
  };
  for (;;) {
    const open = source.indexOf('{{', position);
    if (open < 0) {
      pushText(source.slice(position));
      return found;
    }
    const { body, end, trimsBefore, trimsAfter } = readAction(source, open);
    const before = source.slice(position, open);
    pushText(trimsBefore ? before.replace(/\s+$/, '') : before);
    trimNext = trimsAfter;
    position = end;
    if (!/^\/\*[\s\S]*\*\/$/.test(body)) found.push({ kind: 'action', tokens: tokens(body) });
  }
}

type RawAction = {
  readonly body: string;
  readonly end: number;
  readonly trimsBefore: boolean;
  readonly trimsAfter: boolean;
};

function readAction(source: string, open: number): RawAction {
  // Strings may hold braces, so the end is looked for outside of them.
  const inside =
    /^\{\{(-\s)?((?:"(?:\\.|[^"\\])*"|`[^`]*`|\/\*[\s\S]*?\*\/|(?!\s-\}\})(?!\}\})[\s\S])*?)(\s-)?\}\}/;
  const match = inside.exec(source.slice(open));
  if (match === null) throw new TemplateError('an action is not closed');
  return {
    body: (match[2] ?? '').trim(),
    end: open + match[0].length,
    trimsBefore: match[1] !== undefined,
    trimsAfter: match[3] !== undefined,
  };
}

const tokenShapes =
  /\s*(?:(?<field>(?:\.[A-Za-z_]\w*)+|\.)|(?<variable>\$\w*)(?<path>(?:\.[A-Za-z_]\w*)*)|(?<number>-?\d+(?:\.\d+)?)|(?<quoted>"(?:\\.|[^"\\])*")|`(?<raw>[^`]*)`|(?<word>[A-Za-z_]\w*)|(?<sign>:=|[()|=,]))/y;

const namesOf = (path: string): readonly string[] => path.split('.').filter((name) => name !== '');

function tokens(body: string): readonly Token[] {
  const found: Token[] = [];
  tokenShapes.lastIndex = 0;
  while (tokenShapes.lastIndex < body.length) {
    const at = tokenShapes.lastIndex;
    const groups = tokenShapes.exec(body)?.groups;
    if (groups === undefined) {
      if (body.slice(at).trim() === '') break;
      throw new TemplateError(`unexpected ${JSON.stringify(body.slice(at, at + 12))}`);
    }
    found.push(tokenOf(groups));
  }
  return found;
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): Token {
  const { field, variable, path, number, quoted, raw, word, sign } = groups;
  if (field !== undefined) return { kind: 'field', path: namesOf(field) };
  if (variable !== undefined) return { kind: 'variable', name: variable, path: namesOf(path ?? '') };
  if (number !== undefined) return { kind: 'literal', value: Number(number) };
  if (quoted !== undefined) return { kind: 'literal', value: unquote(quoted) };
  if (raw !== undefined) return { kind: 'literal', value: raw };
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
  if (word === 'nil') return { kind: 'literal', value: null };
  if (word !== undefined) return { kind: 'word', name: word };
  // The expression matches nothing else.
  return { kind: 'sign', sign: sign as '(' | ')' | '|' | ':=' | '=' | ',' };
}

function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch (cause) {
    throw new TemplateError(`bad string ${quoted}`, { cause });
  }
}
