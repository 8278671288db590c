/** Programs inside of a component file, each padded so that its lines keep their numbers. */
export function scriptsOf(text: string): string[] {
  const blocks = [...text.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map((match) => ({
    start: match.index + match[0].indexOf('>') + 1,
    code: match[1] ?? '',
  }));
  const frontMatter = /^---\n([\s\S]*?)\n---/.exec(text);
  const all = frontMatter === null ? blocks : [{ start: 4, code: frontMatter[1] ?? '' }, ...blocks];
  return all.map(({ start, code }) => '\n'.repeat(text.slice(0, start).split('\n').length - 1) + code);
}
