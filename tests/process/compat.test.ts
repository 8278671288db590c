import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCases } from '../../src/compat/cases/load.ts';
import type { Comparison } from '../../src/compat/diff.ts';
import { type SuiteResult, totalsOf } from '../../src/compat/result.ts';
import { runSuite } from '../../src/compat/run/run-suite.ts';
import type { ScanResult } from '../../src/compat/scan/scan.ts';
import type { ShadowReport } from '../../src/compat/shadow/tally.ts';
import { connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { copyProject, type RunningInstance, runCli, startInstance } from '../support/cli.ts';
import { freePorts } from '../support/ports.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let project: Awaited<ReturnType<typeof copyProject>>;
let instance: RunningInstance;
let keys: readonly string[];
let scratch: string;

beforeAll(async () => {
  project = await copyProject('journal');
  scratch = await mkdtemp(join(tmpdir(), 'ownbase-compat-'));
  instance = await startInstance(project.dir, [], {
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
  });
  const { ANON_KEY = '', SERVICE_ROLE_KEY = '' } = instance.env;
  keys = ['--anon-key', ANON_KEY, '--service-key', SERVICE_ROLE_KEY];
});

afterAll(async () => {
  expect(await instance.stop()).toBe(0);
  await project.remove();
  await rm(scratch, { recursive: true, force: true });
});

/** Which cases hold against a server that answers everything in one way. */
async function passedAgainst(answer: RequestListener): Promise<string[]> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [, anonKey = '', , serviceKey = ''] = keys;
  try {
    const { results } = await runSuite({
      target: { url: `http://127.0.0.1:${port}`, anonKey, serviceKey, dbUrl: instance.dbUrl },
      cases: await loadCases(),
      signal: new AbortController().signal,
      patienceMs: 50,
    });
    return results.filter(({ outcome }) => outcome !== 'failed').map(({ id }) => id);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Everything in the database that a run of the suite may have made. */
async function traces(): Promise<string[]> {
  const client = await connect(instance.dbUrl);
  try {
    const rows = await client.query<{ name: string }>(sql`
      select relname as name from pg_class where relname ~ '^compat_'
      union all select proname from pg_proc where proname ~ '^compat_'
      union all select typname from pg_type where typname ~ '^_?compat_'
      union all select policyname from pg_policies where policyname ~ '^compat_'
      union all select id from storage.buckets
        where id ~ '^compat_'
      union all select email from auth.users where email ~ '^compat_' or is_anonymous`);
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

describe('the compatibility suite', () => {
  it('finds every behaviour in a running backend, writes its reports and leaves nothing behind', async () => {
    const run = await runCli(['compat', 'run', '--project', project.dir, '--report', scratch]);
    const report = JSON.parse(await readFile(join(scratch, 'report.json'), 'utf8')) as SuiteResult;
    const failed = report.results.filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
    expect(report.leftovers).toEqual([]);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain('100 % compatible');
    expect(await readFile(join(scratch, 'report.html'), 'utf8')).toContain(
      'Everything that ran behaves as Supabase does.',
    );
    expect(await readFile(join(scratch, 'report.xml'), 'utf8')).toContain('failures="0"');
    expect(await traces()).toEqual([]);
  });

  it('skips what needs tables when it may not make them, and says why', async () => {
    const run = await runCli([
      'compat',
      'run',
      '--url',
      instance.url,
      ...keys,
      '--only',
      'rest,storage',
      '--json',
    ]);
    const { results } = JSON.parse(run.stdout) as SuiteResult;
    expect(run.code).toBe(0);
    const rest = results.filter(({ service }) => service === 'rest');
    expect(new Set(rest.map(({ outcome }) => outcome))).toEqual(new Set(['skipped']));
    expect(rest[0]?.reason).toContain('--db-url');
    expect(results.some(({ service, outcome }) => service === 'storage' && outcome === 'passed')).toBe(true);
  });

  it('removes what it made when it is interrupted', async () => {
    const child = spawn(
      process.execPath,
      [main, 'compat', 'run', '--project', project.dir, '--parallel', '1'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await new Promise<void>((resolve) => child.stderr.once('data', () => resolve()));
    expect(await traces()).not.toEqual([]);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(await traces()).toEqual([]);
  });

  it('finds nothing in a server that has nothing, and in one that agrees to everything', async () => {
    const nothing: RequestListener = (_, response) => response.writeHead(404).end();
    const everything: RequestListener = (_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
    expect(await passedAgainst(nothing)).toEqual([]);
    expect(await passedAgainst(everything)).toEqual([]);
    expect(await traces()).toEqual([]);
  });

  it('proves nothing where it can examine nothing', async () => {
    const run = await runCli([
      'compat',
      'run',
      '--url',
      `${instance.url}/nowhere`,
      ...keys,
      '--case',
      'rest',
    ]);
    expect(run.code).toBe(1);
  });

  it('says in a line that nobody answers', async () => {
    const [port] = await freePorts(1);
    const run = await runCli(['compat', 'run', '--url', `http://127.0.0.1:${port}`, ...keys]);
    expect(run).toEqual({
      code: 1,
      stdout: '',
      stderr: `http://127.0.0.1:${port} does not answer: connect ECONNREFUSED 127.0.0.1:${port}.\n`,
    });
  });

  it('finds no difference between a backend and itself', async () => {
    const side = (name: string): string[] => {
      const [, anon = '', , service = ''] = keys;
      return [
        `--${name}`,
        instance.url,
        `--${name}-anon-key`,
        anon,
        `--${name}-service-key`,
        service,
        `--${name}-db-url`,
        instance.dbUrl,
      ];
    };
    const run = await runCli([
      'compat',
      'diff',
      ...side('left'),
      ...side('right'),
      '--only',
      'rest,storage',
      '--json',
    ]);
    const { differences, compared } = JSON.parse(run.stdout) as Comparison;
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(200);
    expect(run.code).toBe(0);
  });
});

describe('compat scan', () => {
  it('names what the app uses, the places and the cases, and runs just these', async () => {
    const run = await runCli(['compat', 'scan', project.dir, '--run', '--project', project.dir, '--json']);
    const { features, unread, run: proof } = JSON.parse(run.stdout) as ScanResult & { run: SuiteResult };
    const uses = features.map(({ id }) => id);
    expect(uses).toEqual(
      expect.arrayContaining(['sql.rls', 'sql.policy', 'sql.policy.storage', 'sql.auth-functions']),
    );
    expect(features.find(({ id }) => id === 'sql.rls')?.places[0]?.file).toMatch(/^supabase\/migrations\//);
    expect(unread).toEqual([]);
    const named = new Set(features.flatMap((feature) => feature.cases));
    expect(proof.results.map(({ id }) => id).every((id) => named.has(id))).toBe(true);
    expect(totalsOf(proof.results)).toMatchObject({ failed: 0, passed: named.size });
    expect(run.code).toBe(0);
  });

  it('ends with code 1 for what is not there, and for a folder that is not', async () => {
    const app = join(scratch, 'app');
    await mkdir(app);
    await writeFile(join(app, 'a.ts'), "supabase.functions.invoke('hello')\n");
    const found = await runCli(['compat', 'scan', app]);
    expect(found.stdout).toContain('functions.invoke');
    expect(found.stdout).toContain('a.ts:1');
    expect(found.code).toBe(1);
    const nowhere = await runCli(['compat', 'scan', join(scratch, 'nowhere')]);
    expect(nowhere.stderr).toContain('There is no folder');
    expect(nowhere.code).toBe(1);
  });
});

describe('shadow', () => {
  it('answers from upstream, compares this backend, and writes its report when it is ended', async () => {
    const report = join(scratch, 'shadow.json');
    const [port] = await freePorts(1);
    const args = ['--upstream', instance.url, '--listen', String(port), '--report', report];
    const child = spawn(process.execPath, [main, 'shadow', ...args, '--project', project.dir], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await new Promise<void>((resolve) => child.stderr.once('data', () => resolve()));
    const [, anon = ''] = keys;
    const answer = await fetch(`http://127.0.0.1:${port}/rest/v1/posts?select=id`, {
      headers: { apikey: anon },
    });
    expect(answer.status).toBe(200);
    await answer.text();
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    const { requests, routes } = JSON.parse(await readFile(report, 'utf8')) as ShadowReport;
    expect(requests).toBe(1);
    expect(routes).toMatchObject([{ route: 'GET /rest/v1/posts?select', compared: 1, same: 1 }]);
  });
});

describe('gen types', () => {
  it('prints the types of the running backend', async () => {
    const run = await runCli(['gen', 'types', 'typescript', '--local', '--project', project.dir]);
    expect(run.stdout).toMatch(/^export type Json =/);
    expect(run.stdout).toContain('foreignKeyName: "posts_author_id_fkey"');
    expect(run.code).toBe(0);
  });

  it('knows one language', async () => {
    const run = await runCli(['gen', 'types', '--lang', 'go', '--project', project.dir]);
    expect(run.stderr).toContain('not for go');
    expect(run.code).toBe(1);
  });
});
