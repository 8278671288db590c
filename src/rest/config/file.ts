import { err, ok, type Result } from '../../core/result.ts';

/*
 * PostgREST's configuration files:
 *
 *   # comment
 *   db-uri = "postgres://..."
 *   server-port = 3000
 *   app { settings { jwt_secret = "..." } }     same as app.settings.jwt_secret = "..."
 */

const token =
  /\s+|#[^\n]*|(?<open>\{)|(?<close>\})|(?<equals>=)|(?<text>"(?:[^"\\]|\\.)*")|(?<word>[^\s"={}#]+)/y;

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

const unquote = (text: string): string =>
  text
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, char: string) =>
      code === undefined ? (escapes[char] ?? char) : String.fromCharCode(Number.parseInt(code, 16)),
    );

type Token = { readonly kind: 'open' | 'close' | 'equals' | 'text' | 'word'; readonly text: string };

function tokenize(source: string): Result<Token[], string> {
  const tokens: Token[] = [];
  const reader = new RegExp(token);
  while (reader.lastIndex < source.length) {
    const at = reader.lastIndex;
    const match = reader.exec(source);
    if (match === null) return err(`line ${source.slice(0, at).split('\n').length}: not understood`);
    for (const kind of ['open', 'close', 'equals', 'text', 'word'] as const) {
      const text = match.groups?.[kind];
      if (text !== undefined) tokens.push({ kind, text: kind === 'text' ? unquote(text) : text });
    }
  }
  return ok(tokens);
}

/** Parses a configuration file into texts by dotted name; groups are flattened. */
export function parseConfigFile(source: string): Result<ReadonlyMap<string, string>, string> {
  const tokens = tokenize(source);
  if (!tokens.ok) return tokens;
  const entries = new Map<string, string>();
  const groups: string[] = [];
  const rest = tokens.value.values();
  for (const name of rest) {
    if (name.kind === 'close' && groups.pop() !== undefined) continue;
    if (name.kind !== 'word') return err(`a name was expected instead of ${name.text}`);
    const next = rest.next().value;
    if (next?.kind === 'open') {
      groups.push(name.text);
      continue;
    }
    const value = next?.kind === 'equals' ? rest.next().value : undefined;
    if (value?.kind !== 'text' && value?.kind !== 'word') return err(`${name.text} has no value`);
    entries.set([...groups, name.text].join('.'), value.text);
  }
  return groups.length === 0 ? ok(entries) : err(`the group ${groups.join('.')} is not closed`);
}
