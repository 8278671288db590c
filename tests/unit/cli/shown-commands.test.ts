import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { commands } from '../../../src/cli/command-table.ts';
import { run } from '../../../src/cli/program.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pages = [
  'README.md',
  'compat/README.md',
  ...readdirSync(`${root}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Every `ownbase ...` that a page shows: in blocks for a shell, and between backquotes. */
function shownIn(text: string): string[] {
  const blocks = [...text.matchAll(/```(?:sh|console)\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.replaceAll('\\\n', ' ').split('\n'),
  );
  const prose = text.replaceAll(/```[\s\S]*?```/g, '');
  const inline = [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll('\n', ' '));
  return [...blocks, ...inline].flatMap((line) =>
    [...line.matchAll(/\bownbase (?!:)([a-z][^|;&#"\\)]*)/g)].map(([, words = '']) => words.trim()),
  );
}

/** The command that a line begins with: the longest path whose words are its first ones. */
const pathOf = (words: readonly string[]): readonly string[] =>
  commands
    .map(({ path }) => path)
    .filter((path) => path.every((word, index) => words[index] === word))
    .sort((one, other) => other.length - one.length)[0] ?? [];

async function helpOf(path: readonly string[]): Promise<string> {
  let printed = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  onTestFinished(() => spy.mockRestore());
  await run([...path, '--help']);
  spy.mockRestore();
  return printed;
}

/** Flags that every command has, without a line in the help. */
const UNLISTED = new Set(['--help', '-o']);

/** What is wrong about lines that begin with the words of a command. */
async function mistakes(lines: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const line of new Set(lines)) {
    const all = line.split(/\s+/);
    const words = all[0] === 'help' ? all.slice(1) : all;
    // `migration new|up|list` stands for several.
    const path = pathOf(words.map((word) => word.split(/\\?\|/)[0] ?? ''));
    const isGroup = commands.some((entry) => entry.path[0] === words[0] && entry.path.length > 1);
    if (path.length === 0 && !isGroup) {
      wrong.push(line);
      continue;
    }
    const help = (await helpOf(path)).split('\nExamples:')[0] ?? '';
    const flags = words.flatMap((word) => /^--?[a-z][\w-]*/.exec(word)?.[0] ?? []);
    const unknown = flags.filter((flag) => !UNLISTED.has(flag) && !help.includes(flag));
    wrong.push(...unknown.map((flag) => `${line}: ${flag}`));
  }
  return wrong;
}

describe('commands that are shown', () => {
  it.each(pages)('in %s are there, with their options', async (page) => {
    expect(await mistakes(shownIn(readFileSync(`${root}${page}`, 'utf8')))).toEqual([]);
  });

  it.each(
    commands.filter(({ hidden }) => hidden !== true).map(({ path }) => [path.join(' '), path] as const),
  )('as examples of "%s" are there, with their options', async (_, path) => {
    const examples = (await helpOf(path)).split('\nExamples:')[1]?.replaceAll('\\\n', ' ') ?? '';
    const lines = [...examples.matchAll(/\bownbase ([a-z][^\n|;&#")]*)/g)].map(([, words = '']) =>
      words.trim(),
    );
    expect(await mistakes(lines)).toEqual([]);
  });
});
