import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { managedSchemas, schemasWithoutData, tablesWithoutData } from '../platform/managed-schemas.ts';
import type { DumpOutput } from './dump-output.ts';
import { CommandFailure } from './exit.ts';

/** A pg_dump that is installed. */
export type PgDump = { readonly path: string; readonly majorVersion: number };

/** What it is to dump. */
export type DumpRequest = {
  readonly url: string;
  readonly kind: 'schema' | 'data' | 'role';
  readonly schema: readonly string[];
  readonly exclude: readonly string[];
  readonly useCopy?: boolean;
  readonly keepComments?: boolean;
};

/** The pg_dump of a folder, else of the PATH; undefined when there is none that can dump such a server. */
export async function findPgDump(folder: string | null, serverMajor: number): Promise<PgDump | undefined> {
  for (const path of [...(folder === null ? [] : [join(folder, 'pg_dump')]), 'pg_dump']) {
    const version = await promisify(execFile)(path, ['--version']).catch(() => undefined); // not there
    const majorVersion = Number(/(\d+)/.exec(version?.stdout ?? '')?.[1] ?? 0);
    if (majorVersion >= serverMajor) return { path, majorVersion };
  }
  return undefined;
}

/** Schemas as a pattern of pg_dump, with those that every server and TimescaleDB have. */
const patternOf = (schemas: readonly string[]): string =>
  [...schemas, 'pg_*', 'timescaledb_*', '_timescaledb_*'].join('|');

function argumentsFor({ kind, schema, exclude, useCopy }: DumpRequest): string[] {
  if (kind === 'schema') {
    const which =
      schema.length > 0 ? ['--schema', schema.join('|')] : ['--exclude-schema', patternOf(managedSchemas)];
    return ['--schema-only', '--quote-all-identifiers', ...which];
  }
  const which =
    schema.length > 0
      ? ['--schema', schema.join('|')]
      : ['--schema', '*', '--exclude-schema', patternOf(schemasWithoutData)];
  const tables = [...tablesWithoutData, ...exclude];
  const inserts = useCopy === true ? [] : ['--column-inserts', '--rows-per-insert=100000'];
  const quoted = tables.map((table) => `"${table.replace('.', '"."')}"`);
  return [
    '--data-only',
    '--quote-all-identifiers',
    ...which,
    ...quoted.flatMap((table) => ['--exclude-table', table]),
    ...inserts,
  ];
}

/** The command as a person would type it, with the password left out. */
export function describePgDump({ path }: PgDump, request: DumpRequest): string {
  const url = new URL(request.url);
  if (url.password !== '') url.password = '***';
  const words = [path, ...argumentsFor(request), url.href];
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

/**
 * Runs pg_dump and writes what a migration or psql can run on another database of this kind; `onObject` hears of each
 * object that is written.
 */
export async function runPgDump(
  { path }: PgDump,
  request: DumpRequest,
  output: DumpOutput,
  onObject: (name: string) => void,
): Promise<void> {
  const url = new URL(request.url);
  const env = { ...process.env, PGPASSWORD: decodeURIComponent(url.password) };
  url.password = '';
  const child = spawn(path, [...argumentsFor(request), url.href], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  try {
    if (request.kind === 'data') await output.write('SET session_replication_role = replica;\n\n');
    for await (const line of createInterface({ input: child.stdout })) {
      const name = /^-- (?:Data for )?Name: ([^;]+);/.exec(line)?.[1];
      if (name !== undefined) onObject(name);
      const kept = request.kind === 'data' ? dataLine(line) : schemaLine(line, request.keepComments === true);
      if (kept !== null) await output.write(`${kept}\n`);
    }
    if (request.kind === 'data') await output.write('RESET ALL;\n');
  } catch (error) {
    // Nobody reads on: it would wait for ever.
    child.kill();
    throw error;
  }
  const code = await ended;
  if (code !== 0) throw new CommandFailure(`pg_dump ended with code ${code ?? 'unknown'}.`);
}

/** psql's own commands are comments to everything else. */
const dataLine = (line: string): string => line.replace(/^\\(un)?restrict .*$/, '-- $&');

const REPLACED: readonly (readonly [RegExp, string])[] = [
  [/^CREATE (SCHEMA|TABLE|SEQUENCE) "/, 'CREATE $1 IF NOT EXISTS "'],
  [/^CREATE (VIEW|FUNCTION|TRIGGER) "/, 'CREATE OR REPLACE $1 "'],
];

/** Statements that only a superuser may run, or that concern what the platform makes. */
const LEFT_OUT: readonly RegExp[] = [
  /^\\(un)?restrict /,
  /^CREATE PUBLICATION "supabase_realtime/,
  /^ALTER PUBLICATION "supabase_realtime_/,
  /^(CREATE|ALTER) EVENT TRIGGER /,
  /^ {9}WHEN TAG IN /,
  /^ {3}EXECUTE FUNCTION /,
  /^ALTER FOREIGN DATA WRAPPER .+ OWNER TO /,
  /^ALTER DEFAULT PRIVILEGES FOR ROLE "supabase_admin"/,
  /^COMMENT ON EXTENSION /,
  /^SET transaction_timeout = 0;/,
];

function schemaLine(line: string, keepComments: boolean): string | null {
  if (LEFT_OUT.some((pattern) => pattern.test(line))) return keepComments ? `-- ${line}` : null;
  if (!keepComments && line.startsWith('--')) return null;
  return REPLACED.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
}
