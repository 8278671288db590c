import { readFileSync, writeFileSync } from 'node:fs';
import { byFeature, type CaseResult, type SuiteResult, totalsOf } from '../src/compat/result.ts';
import type { Feature } from '../src/compat/scan/feature.ts';
import { features } from '../src/compat/scan/features/index.ts';

/*
 * Writes docs/compatibility.md from the JSON of a run, as `ownbase compat run --report` leaves it. Further files are
 * runs of the same suite against upstream's own servers: a case that passed there is marked as proven.
 *
 *   npm run docs:compatibility -- report/report.json [upstream.json ...]
 */
const file = new URL('../docs/compatibility.md', import.meta.url);
const [own, ...upstream] = process.argv
  .slice(2)
  .map((path) => JSON.parse(readFileSync(path, 'utf8')) as SuiteResult);
if (own === undefined) throw new Error('Name the report.json of a run.');

const proven = new Set(
  upstream.flatMap(({ results }) =>
    results.filter(({ outcome }) => outcome === 'passed').map(({ id }) => id),
  ),
);

const services = { rest: 'REST', auth: 'Auth', storage: 'Storage', realtime: 'Realtime' } as const;
const marks = { passed: '✓', failed: '✗', skipped: '–' } as const;
const cell = (text: string): string => text.replaceAll('|', '\\|');

function head({ environment, startedAt, results }: SuiteResult): string {
  const { passed, failed, skipped } = totalsOf(results);
  return `# Compatibility

<!-- Generated from a run of the suite by \`npm run docs:compatibility\`. -->

ownbase ${environment.ownbase} on Postgres ${environment.postgres}, ${startedAt.slice(0, 10)}: ${passed} of ${results.length} behaviours are
Supabase's${failed > 0 ? `, ${failed} differ` : ''}${skipped > 0 ? `, ${skipped} were not examined` : ''}. Repeat it with \`ownbase compat run\`, and see what your app needs of it with
\`ownbase compat scan\`. What is different on purpose is in [differences.md](differences.md).

The column "upstream" marks behaviours that were also seen on upstream's own servers in the versions of that day
(${upstreamNames()}); the others follow upstream's source and documentation.
`;
}

const upstreamNames = (): string => {
  const versions = upstream.flatMap(({ environment, results }) => {
    const seen = new Set(results.filter(({ outcome }) => outcome === 'passed').map(({ service }) => service));
    return [
      ...(seen.has('auth') ? [`GoTrue ${environment.auth ?? ''}`.trim()] : []),
      ...(seen.has('storage') ? ['the storage server'] : []),
    ];
  });
  return [...new Set(versions)].join(' and ') || 'none in this run';
};

function summary(results: readonly CaseResult[]): string {
  const rows = byFeature(results).map(({ service, feature, results: group }) => {
    const { passed, failed, skipped } = totalsOf(group);
    return `| ${services[service]} | ${feature} | ${passed} | ${failed || ''} | ${skipped || ''} |`;
  });
  return ['| service | feature | passed | failed | not examined |', '|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

function cases(results: readonly CaseResult[]): string {
  return byFeature(results)
    .map(({ service, feature, results: group }) => {
      const rows = group.map(
        ({ id, title, method, outcome }) =>
          `| ${marks[outcome]} | ${cell(title)} | \`${cell(method)}\` | ${proven.has(id) ? '✓' : ''} | \`${id}\` |`,
      );
      const table = ['| | behaviour | used by | upstream | case |', '|---|---|---|---|---|', ...rows].join(
        '\n',
      );
      return `### ${services[service]}: ${feature}\n\n${table}`;
    })
    .join('\n\n');
}

/** Code and configuration may use the same thing: it stands here once. */
const noted = (support: Feature['support']): string =>
  [
    ...new Set(
      features
        .filter((feature) => feature.support === support)
        .map(({ title, note = '' }) => `| ${cell(title)} | ${cell(note)} |`),
    ),
  ].join('\n');

writeFileSync(
  file,
  `${head(own)}
## Summary

${summary(own.results)}

## With a difference

| feature | what differs |
|---|---|
${noted('differs')}

## Not there

| feature | what happens |
|---|---|
${noted('unsupported')}

## Every behaviour

${cases(own.results)}
`,
);
