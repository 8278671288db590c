import type { Case } from '../cases/model.ts';
import type { Source } from './code/chain.ts';
import { findUses } from './code/find-uses.ts';
import { findAddresses, findPackages } from './code/literals.ts';
import type { Feature, Finding, LocalFinding } from './feature.ts';
import { featureOf, features } from './features/index.ts';
import { edgeFunctionOf, filesOf, type ProjectFile, textOf } from './project.ts';

/** A feature that an app uses, with the places and the cases that prove it. */
export type UsedFeature = Pick<Feature, 'id' | 'title' | 'support'> & {
  readonly note: string | null;
  readonly places: readonly Omit<Finding, 'feature'>[];
  /** Ids of the compatibility cases. */
  readonly cases: readonly string[];
};

/** A file that could not be read in its language. */
export type Unread = { readonly file: string; readonly line: number; readonly message: string };

/** What a scan of an app found. */
export type ScanResult = {
  readonly path: string;
  readonly files: number;
  readonly features: readonly UsedFeature[];
  readonly unread: readonly Unread[];
};

/**
 * Reads an app's source, SQL and configuration; `onFile` hears of each file before it is read. Rejects when the folder
 * cannot be read.
 */
export async function scanProject(
  root: string,
  cases: readonly Case[],
  onFile: (path: string, done: number, total: number) => void = () => {},
): Promise<ScanResult> {
  const files = await filesOf(root);
  const readers = await loadReaders(files);
  const findings: Finding[] = [];
  const unread: Unread[] = [];
  for (const [done, file] of files.entries()) {
    onFile(file.path, done, files.length);
    const outcome = readers(file, await textOf(root, file));
    findings.push(...outcome.findings.map((found) => ({ ...found, file: file.path })));
    unread.push(...outcome.problems.map((problem) => ({ ...problem, file: file.path })));
  }
  return { path: root, files: files.length, features: group(unique(findings), cases), unread };
}

type Outcome = {
  readonly findings: readonly LocalFinding[];
  readonly problems: readonly Omit<Unread, 'file'>[];
};

const nothing: Outcome = { findings: [], problems: [] };

/** Loads the parsers that the files need, and no others: they are heavy. */
async function loadReaders(
  files: readonly ProjectFile[],
): Promise<(file: ProjectFile, text: string) => Outcome> {
  const has = (...wanted: ProjectFile['language'][]): boolean =>
    files.some(({ language }) => wanted.includes(language));
  const javascript = has('javascript', 'component') ? await import('./code/javascript.ts') : null;
  const components = has('component') ? await import('./code/component.ts') : null;
  const tokens = has('dart', 'swift', 'kotlin', 'python') ? await import('./code/other-languages.ts') : null;
  const sql = has('sql') ? await import('./sql/find.ts') : null;
  if (sql !== null) await (await import('./sql/statements.ts')).loadSqlParser();
  const config = has('config') ? await import('./config.ts') : null;
  return (file, text) => {
    switch (file.language) {
      case 'javascript':
        return javascript === null ? nothing : readCode(file, text, [text], javascript.readJavaScript);
      case 'component':
        return javascript === null || components === null
          ? nothing
          : readCode(file, text, components.scriptsOf(text), (script) =>
              javascript.readJavaScript(script, 'script.ts'),
            );
      case 'dart':
      case 'swift':
      case 'kotlin':
      case 'python': {
        const comments = file.language === 'python' ? 'hash' : 'slashes';
        if (tokens === null || !/supabase/i.test(text)) return nothing;
        return readCode(file, text, [text], (script) => tokens.readByTokens(script, comments));
      }
      case 'sql': {
        if (sql === null) return nothing;
        const { findings, problem } = sql.findInSql(text);
        return { findings, problems: problem === null ? [] : [problem] };
      }
      case 'config':
        return config === null ? nothing : attempt(() => config.findInConfig(text));
    }
  };
}

/** Files without any of these words use nothing. */
const WORDS = /supabase|\.from\(|\.rpc\(|\.auth\b|\.channel\(|\/v1\b/i;

function readCode(
  file: ProjectFile,
  text: string,
  scripts: readonly string[],
  read: (script: string, path: string) => Source,
): Outcome {
  const name = edgeFunctionOf(file.path);
  const own = name === undefined ? [] : [{ feature: 'functions.source', line: 1, what: name }];
  if (!WORDS.test(text)) return { findings: own, problems: [] };
  const outcomes = scripts.map((script) =>
    attempt(() => {
      const source = read(script, file.path);
      return [...findPackages(source.imports), ...findAddresses(source.literals), ...findUses(source)];
    }),
  );
  return {
    findings: [...own, ...outcomes.flatMap(({ findings }) => findings)],
    problems: outcomes.flatMap(({ problems }) => problems),
  };
}

function attempt(find: () => readonly LocalFinding[]): Outcome {
  try {
    return { findings: find(), problems: [] };
  } catch (error) {
    // A file in another dialect, or a broken one: the report names it.
    const {
      message = String(error),
      loc,
      line,
    } = error as { message?: string; loc?: { line?: number }; line?: number };
    return { findings: [], problems: [{ message, line: loc?.line ?? line ?? 1 }] };
  }
}

function unique(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ feature, file, line }) => {
    const key = `${feature} ${file} ${line}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Findings by feature, in the order of the feature table. */
function group(findings: readonly Finding[], cases: readonly Case[]): UsedFeature[] {
  return features.flatMap(({ id }) => {
    const places = findings.filter(({ feature }) => feature === id);
    if (places.length === 0) return [];
    const { title, support, note = null, cases: starts } = featureOf(id);
    return [
      {
        id,
        title,
        support,
        note,
        places: places.map(({ file, line, what }) => ({ file, line, what })),
        cases: cases.filter((one) => starts.some((start) => isBelow(one.id, start))).map((one) => one.id),
      },
    ];
  });
}

const isBelow = (id: string, start: string): boolean => id === start || id.startsWith(`${start}.`);
