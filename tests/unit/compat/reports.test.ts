import { describe, expect, it } from 'vitest';
import { compareRuns } from '../../../src/compat/diff.ts';
import { htmlReport } from '../../../src/compat/report/html.ts';
import { junitReport } from '../../../src/compat/report/junit.ts';
import { percent } from '../../../src/compat/report/terminal.ts';
import { type CaseResult, type SuiteResult, totalsOf } from '../../../src/compat/result.ts';

const caseResult = (over: Partial<CaseResult>): CaseResult => ({
  id: 'rest.a',
  service: 'rest',
  feature: 'Filters',
  title: 'a <title>',
  method: 'eq()',
  weight: 1,
  why: 'because',
  outcome: 'passed',
  reason: null,
  ms: 10,
  steps: [],
  ...over,
});

const suite = (results: readonly CaseResult[], url = 'http://left.test'): SuiteResult => ({
  startedAt: '2026-01-02T03:04:05.000Z',
  ms: 1234,
  environment: {
    url,
    ownbase: '1.0.0',
    node: 'v20',
    auth: null,
    rest: null,
    postgres: null,
    available: ['database'],
  },
  results,
  problems: [],
  leftovers: [],
  wasInterrupted: false,
});

const failed = caseResult({
  id: 'rest.b',
  outcome: 'failed',
  reason: 'status is 500, expected 200',
  weight: 3,
  steps: [
    {
      title: 'GET /rest/v1/x',
      request: { headers: { accept: '*/*' }, body: null },
      response: { status: 500, headers: { 'content-type': 'text/plain' }, body: '<script>alert(1)</script>' },
      mismatches: [{ at: 'status', expected: 200, actual: 500 }],
      ms: 1,
    },
  ],
});

describe('the score', () => {
  it('weighs cases and leaves out what was skipped', () => {
    expect(totalsOf([caseResult({}), failed, caseResult({ outcome: 'skipped' })])).toEqual({
      passed: 1,
      failed: 1,
      skipped: 1,
      score: 0.25,
    });
  });

  it('is 100 % only when nothing is missing', () => {
    expect(percent(0.99999)).toBe('99.9 %');
    expect(percent(1)).toBe('100 %');
  });
});

describe('the HTML report', () => {
  const page = htmlReport(suite([caseResult({}), failed]));

  it('needs nothing else, and knows the dark and paper', () => {
    expect(page).not.toMatch(/(src|href)="(?!#)/);
    expect(page).toContain('prefers-color-scheme: dark');
    expect(page).toContain('@media print');
  });

  it('cuts a value that would fill pages, and says so', () => {
    const [step] = failed.steps;
    const long = { at: 'body.qr', expected: 'x', actual: 'z'.repeat(50_000) };
    const cut = htmlReport(suite([{ ...failed, steps: step ? [{ ...step, mismatches: [long] }] : [] }]));
    expect(cut).toMatch(/z… \(48\d\d\d more characters, in the JSON report\)/);
    expect(cut).not.toContain('z'.repeat(3_000));
  });

  it('shows what failed and lets nothing of an answer become markup', () => {
    expect(page).toContain('1 of 2 behaviours that ran differs from Supabase.');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toContain('<script>');
  });
});

describe('the JUnit report', () => {
  it('counts and escapes', () => {
    const xml = junitReport(suite([caseResult({}), failed]));
    expect(xml).toContain(
      '<testsuites name="ownbase compat" tests="2" failures="1" skipped="0" time="1.234">',
    );
    expect(xml).toContain('name="rest.a: a &lt;title&gt;"');
    expect(xml).toContain('<failure message="status is 500, expected 200">');
  });
});

describe('a comparison', () => {
  const answering = (body: string, status = 200): CaseResult =>
    caseResult({
      steps: [
        {
          title: 'GET /rest/v1/compat_0a1b2c3d_films',
          response: {
            status,
            headers: { 'content-type': 'application/json', date: String(Math.random()) },
            body,
          },
          mismatches: [],
          ms: 1,
        },
      ],
    });
  const body = (id: string): string => `[{"id":"${id}","at":"2026-01-02T03:04:05.123Z"}]`;

  it('does not mind what differs between any two runs', () => {
    const left = suite([answering(body('6f1b1a3e-55d0-4c36-9f0c-6ac1d4f6e2a1'))]);
    const right = suite([answering(body('7f1b1a3e-55d0-4c36-9f0c-6ac1d4f6e2a1'))], 'http://right.test');
    expect(compareRuns(left, right)).toEqual({
      compared: 1,
      differences: [],
      notCompared: [],
      timeRatio: 1,
    });
  });

  it('tells status, body and order', () => {
    const { differences } = compareRuns(suite([answering('[1,2]')]), suite([answering('[2,1]', 206)]));
    expect(differences.map(({ name, left, right }) => [name, left, right])).toEqual([
      ['status', '200', '206'],
      ['body[0]', '1', '2'],
      ['body[1]', '2', '1'],
    ]);
  });

  it('does not mind the order of keys', () => {
    const [left, right] = [suite([answering('{"a":1,"b":2}')]), suite([answering('{"b":2,"a":1}')])];
    expect(compareRuns(left, right).differences).toEqual([]);
  });

  it('names cases that one side alone could run', () => {
    const skipped = caseResult({ outcome: 'skipped' });
    expect(compareRuns(suite([caseResult({})]), suite([skipped])).notCompared).toEqual(['rest.a']);
  });
});
