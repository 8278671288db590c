import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

/** How a file is read. */
export type Language = 'javascript' | 'component' | 'dart' | 'swift' | 'kotlin' | 'python' | 'sql' | 'config';

/** A file of an app that a scan reads. */
export type ProjectFile = { readonly path: string; readonly language: Language };

const languages: Readonly<Record<string, Language>> = {
  '.ts': 'javascript',
  '.tsx': 'javascript',
  '.mts': 'javascript',
  '.cts': 'javascript',
  '.js': 'javascript',
  '.jsx': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.vue': 'component',
  '.svelte': 'component',
  '.astro': 'component',
  '.html': 'component',
  '.dart': 'dart',
  '.swift': 'swift',
  '.kt': 'kotlin',
  '.kts': 'kotlin',
  '.py': 'python',
  '.sql': 'sql',
};

/** Folders that hold what others wrote or what a build made. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  'node_modules',
  'bower_components',
  'vendor',
  'Pods',
  'dist',
  'build',
  'out',
  'target',
  'coverage',
  'venv',
  '__pycache__',
  '.git',
  '.next',
  '.nuxt',
  '.svelte-kit',
  '.turbo',
  '.expo',
  '.dart_tool',
  '.gradle',
  '.venv',
  '.vercel',
  '.output',
  '.temp',
  '.branches',
]);

/** A larger file is made by a tool: generated types, bundles, dumps of data. */
const MAX_BYTES = 1_000_000;

/** The files of an app that may use Supabase, by path. Rejects when the folder cannot be read. */
export async function filesOf(root: string): Promise<ProjectFile[]> {
  const found: ProjectFile[] = [];
  await collect(root, root, found);
  return found.sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function collect(root: string, dir: string, found: ProjectFile[]): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      if (!PASSED_OVER.has(entry.name)) await collect(root, path, found);
      continue;
    }
    const language = entry.isFile() ? languageOf(relative(root, path)) : undefined;
    if (language === undefined || (await stat(path)).size > MAX_BYTES) continue;
    found.push({ path: relative(root, path).split(sep).join('/'), language });
  }
}

function languageOf(path: string): Language | undefined {
  const parts = path.split(sep);
  if (parts.at(-1) === 'config.toml' && parts.at(-2) === 'supabase') return 'config';
  if (/\.(min|bundle)\.[cm]?js$|\.d\.ts$/.test(path)) return undefined;
  return languages[extname(path)];
}

/** The text of a file of an app. */
export const textOf = (root: string, { path }: ProjectFile): Promise<string> =>
  readFile(join(root, path), 'utf8');

/** The name of the edge function whose entry point a file is. */
export const edgeFunctionOf = (path: string): string | undefined =>
  /(?:^|\/)supabase\/functions\/([^_/][^/]*)\/index\.[jt]sx?$/.exec(path)?.[1];
