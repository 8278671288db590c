import { byFeature, type CaseResult, type SuiteResult, totalsOf } from '../result.ts';

/** The results as JUnit XML: a suite for each feature. */
export function junitReport(result: SuiteResult): string {
  const { passed, failed, skipped } = totalsOf(result.results);
  const suites = byFeature(result.results).map(({ service, feature, results }) => {
    const totals = totalsOf(results);
    const time = seconds(results.reduce((sum, { ms }) => sum + ms, 0));
    return [
      `  <testsuite name="${text(`${service}: ${feature}`)}" tests="${results.length}" failures="${totals.failed}" skipped="${totals.skipped}" time="${time}" timestamp="${result.startedAt}">`,
      ...results.map(testCase),
      '  </testsuite>',
    ].join('\n');
  });
  const tests = passed + failed + skipped;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="ownbase compat" tests="${tests}" failures="${failed}" skipped="${skipped}" time="${seconds(result.ms)}">`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(result: CaseResult): string {
  const { id, service, feature, title, outcome, reason, ms } = result;
  const open = `    <testcase classname="${text(`${service}.${feature}`)}" name="${text(`${id}: ${title}`)}" time="${seconds(ms)}"`;
  switch (outcome) {
    case 'passed':
      return `${open}/>`;
    case 'skipped':
      return `${open}><skipped message="${text(reason ?? '')}"/></testcase>`;
    case 'failed':
      return `${open}><failure message="${text(reason ?? '')}">${text(JSON.stringify(result.steps.at(-1) ?? null, null, 2))}</failure></testcase>`;
  }
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for an attribute or element; characters that XML 1.0 does not know are left out. */
const text = (value: string): string =>
  value
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to leave out.
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
