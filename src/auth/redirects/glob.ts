/**
 * Turns a glob into an expression. Separators are `.` and `/`: `*` and `?` stop at them, `**` does not.
 * Also `[abc]`, `[a-z]`, `[!a-z]`, `{a,b}` and `\x`. Throws `SyntaxError` for a glob that is not closed.
 *
 * Upstream: internal/conf/configuration.go (URIAllowListMap, gobwas/glob).
 */
export function globToRegExp(glob: string): RegExp {
  let source = '';
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i] ?? '';
    if (char === '*') {
      const isDouble = glob[i + 1] === '*';
      while (glob[i + 1] === '*') i++;
      source += isDouble ? '.*' : '[^./]*';
    } else if (char === '?') source += '[^./]';
    else if (char === '\\') source += quote(glob[++i] ?? '\\');
    else if (char === '[') {
      const end = glob.indexOf(']', i + 1);
      if (end < 0) throw new SyntaxError(`glob is not closed: ${glob}`);
      source += characterClass(glob.slice(i + 1, end));
      i = end;
    } else if (char === '{') {
      depth++;
      source += '(?:';
    } else if (char === '}' && depth > 0) {
      depth--;
      source += ')';
    } else if (char === ',' && depth > 0) source += '|';
    else source += quote(char);
  }
  if (depth > 0) throw new SyntaxError(`glob is not closed: ${glob}`);
  return new RegExp(`^${source}$`, 's');
}

const quote = (char: string): string => char.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

function characterClass(body: string): string {
  const negated = body.startsWith('!');
  const members = (negated ? body.slice(1) : body).replace(/[\\\]^[]/g, '\\$&');
  return `[${negated ? '^' : ''}${members}]`;
}
