import { readFileSync, writeFileSync } from 'node:fs';
import type { OptionTable, SomeOption } from '../src/config/option.ts';
import { sections } from '../src/config/sections.ts';

/*
 * Writes docs/configuration.md from the option tables; with --check it only says whether the file is up to date.
 */
const file = new URL('../docs/configuration.md', import.meta.url);

const titles: Readonly<Record<keyof typeof sections, string>> = {
  gateway: 'Gateway',
  api: 'REST',
  db: 'Database',
  keys: 'Keys',
  auth: 'Auth',
  storage: 'Storage',
  realtime: 'Realtime',
  cluster: 'Several instances',
  inbox: 'Development inbox',
};

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function names(option: SomeOption): string {
  return [
    ...(option.flag === undefined ? [] : [code(`--${option.flag}`)]),
    ...(option.env ?? []).map(code),
    ...(option.toml === undefined ? [] : [code(`[${option.toml}]`)]),
  ].join('<br>');
}

function sectionTable(section: OptionTable): string {
  const rows = Object.values(section).map(
    (option) =>
      `| ${names(option)} | ${code(option.kind.name)} | ${code(option.kind.print(option.default))} | ${option.description.replaceAll('|', '\\|')} |`,
  );
  return ['| names | kind | default | what it does |', '|---|---|---|---|', ...rows].join('\n');
}

const head = `# Configuration

<!-- Generated from src/config by \`npm run docs\`. -->

A value is taken from a flag, else from the environment, else from \`supabase/config.toml\` (names in brackets), else it
is the default. Every key of config.toml can also be set as \`SUPABASE_<SECTION>_<KEY>\`; \`env(NAME)\` inside the file reads
the environment and the project's .env files. \`ownbase config --print\` shows every value and where it came from.
`;

const body = Object.entries(sections)
  .map(([name, section]) => `\n## ${titles[name as keyof typeof sections]}\n\n${sectionTable(section)}\n`)
  .join('');

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== head + body) {
    process.stderr.write('docs/configuration.md is out of date: run `npm run docs`\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, head + body);
}
