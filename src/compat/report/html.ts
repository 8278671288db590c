import {
  byFeature,
  type CaseResult,
  type Environment,
  type StepRecord,
  type SuiteResult,
  totalsOf,
} from '../result.ts';
import { styles } from './html-style.ts';
import { duration, percent } from './terminal.ts';

/** The results as one HTML page that needs nothing else: light and dark, and fit to print. */
export function htmlReport(result: SuiteResult): string {
  const { environment, startedAt } = result;
  const host = new URL(environment.url).host;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Compatibility of ${html(host)}</title>
<style>${styles}</style>
</head>
<body>
<main>
${header(result, host)}
${matrix(result)}
${failedCases(result.results)}
${allCases(result.results)}
${environmentTable(environment, startedAt, result.ms)}
${troubles(result)}
</main>
</body>
</html>
`;
}

function header(result: SuiteResult, host: string): string {
  const { passed, failed, skipped, score } = totalsOf(result.results);
  const share = (count: number): string =>
    ((100 * count) / Math.max(1, passed + failed + skipped)).toFixed(2);
  const verdict =
    failed === 0
      ? 'Everything that ran behaves as Supabase does.'
      : `${failed} of ${passed + failed} behaviours that ran ${failed === 1 ? 'differs' : 'differ'} from Supabase.`;
  return `<header>
<p class="kicker">Supabase compatibility</p>
<h1>${html(host)}</h1>
<div class="score ${failed === 0 ? 'good' : 'bad'}"><strong>${percent(score)}</strong><span>weighted by how often apps depend on it</span></div>
<p class="verdict">${verdict}${result.wasInterrupted ? ' The run was interrupted.' : ''}</p>
<div class="bar" role="img" aria-label="${passed} passed, ${failed} failed, ${skipped} skipped"><i class="passed" style="width:${share(passed)}%"></i><i class="failed" style="width:${share(failed)}%"></i><i class="skipped" style="width:${share(skipped)}%"></i></div>
<p class="legend"><span class="passed">${passed} passed</span><span class="failed">${failed} failed</span><span class="skipped">${skipped} skipped</span></p>
</header>`;
}

/** A square for each case, by feature. */
function matrix(result: SuiteResult): string {
  const rows = byFeature(result.results).map(({ service, feature, results }) => {
    const { passed, failed, skipped, score } = totalsOf(results);
    const squares = results
      .map(
        ({ id, title, outcome }) =>
          `<a href="#${html(id)}" class="${outcome}" title="${html(`${title} (${outcome})`)}"></a>`,
      )
      .join('');
    const share = passed + failed === 0 ? '–' : percent(score);
    return `<tr><td class="service">${service}</td><th scope="row">${html(feature)}</th><td class="squares">${squares}</td><td class="number">${passed}</td><td class="number">${failed || ''}</td><td class="number">${skipped || ''}</td><td class="number share">${share}</td></tr>`;
  });
  return `<section><h2>Features</h2>
<table class="matrix"><thead><tr><th scope="col">Service</th><th scope="col">Feature</th><th scope="col">Cases</th><th scope="col" class="number">Passed</th><th scope="col" class="number">Failed</th><th scope="col" class="number">Skipped</th><th scope="col" class="number">Share</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></section>`;
}

function failedCases(results: readonly CaseResult[]): string {
  const failed = results
    .filter(({ outcome }) => outcome === 'failed')
    .sort((one, other) => other.weight - one.weight);
  if (failed.length === 0) return '';
  return `<section><h2>Differences</h2>${failed.map(failedCase).join('\n')}</section>`;
}

function failedCase(result: CaseResult): string {
  const { id, title, method, why, weight, reason, steps } = result;
  const last = steps.at(-1);
  return `<article id="${html(id)}" class="failure">
<h3>${html(title)}</h3>
<p class="facts"><code>${html(id)}</code> <code>${html(method)}</code> <span>weight ${weight} of 5</span></p>
<p>${html(why)}</p>
${last === undefined || last.mismatches.length === 0 ? `<p class="reason">${html(reason ?? '')}</p>` : stepDetails(last)}
</article>`;
}

function stepDetails(step: StepRecord): string {
  const rows = step.mismatches.map(
    ({ at, expected, actual }) =>
      `<tr><th scope="row"><code>${html(at)}</code></th><td class="expected"><pre>${html(shortened(json(expected)))}</pre></td><td class="actual"><pre>${html(shortened(json(actual)))}</pre></td></tr>`,
  );
  return `<p class="step"><code>${html(step.title)}</code></p>
<table class="diff"><thead><tr><th scope="col">Where</th><th scope="col">Expected</th><th scope="col">Answered</th></tr></thead><tbody>${rows.join('')}</tbody></table>
<details><summary>Request and response</summary>
${step.request ? `<pre>${html(headerLines(step.request.headers))}\n\n${html(shortened(step.request.body ?? ''))}</pre>` : ''}
${step.response ? `<pre>${step.response.status}\n${html(headerLines(step.response.headers))}\n\n${html(shortened(step.response.body))}</pre>` : ''}
${step.messages ? `<pre>${html(shortened(json(step.messages)))}</pre>` : ''}
</details>`;
}

/** Letters of a value that are shown: a picture in a data URL would fill pages of paper. */
const MAX_LETTERS = 2_000;

const shortened = (text: string): string =>
  text.length <= MAX_LETTERS
    ? text
    : `${text.slice(0, MAX_LETTERS)}… (${text.length - MAX_LETTERS} more characters, in the JSON report)`;

function allCases(results: readonly CaseResult[]): string {
  const rows = byFeature(results).map(({ service, feature, results: group }) => {
    const heading = `<tr class="group"><th></th><th colspan="3" scope="rowgroup">${html(feature)} <span>${service}</span></th></tr>`;
    return `<tbody>${heading}\n${group.map(caseRow).join('\n')}</tbody>`;
  });
  return `<section><h2>All cases</h2><table class="cases"><thead><tr><th></th><th scope="col">Behaviour</th><th scope="col">Used by</th><th scope="col" class="number">Time</th></tr></thead>${rows.join('\n')}</table></section>`;
}

function caseRow({ id, title, method, outcome, reason, ms }: CaseResult): string {
  const anchor = outcome === 'failed' ? '' : ` id="${html(id)}"`;
  const note = outcome === 'skipped' ? ` <small>${html(reason ?? '')}</small>` : '';
  return `<tr${anchor} class="${outcome}"><td class="mark"></td><td>${html(title)}${note}</td><td><code>${html(method)}</code></td><td class="number">${outcome === 'skipped' ? '' : duration(ms)}</td></tr>`;
}

function environmentTable(environment: Environment, startedAt: string, ms: number): string {
  const facts: readonly (readonly [string, string | null])[] = [
    ['URL', environment.url],
    ['Started', startedAt],
    ['Duration', duration(ms)],
    ['Suite', `ownbase ${environment.ownbase}, Node.js ${environment.node}`],
    ['REST', environment.rest],
    ['Auth', environment.auth],
    ['Postgres', environment.postgres],
    ['Available', environment.available.join(', ') || 'nothing beyond the keys'],
  ];
  const rows = facts.map(
    ([name, value]) => `<tr><th scope="row">${name}</th><td>${html(value ?? 'not told')}</td></tr>`,
  );
  return `<section class="environment"><h2>Environment</h2><table>${rows.join('')}</table></section>`;
}

/** What could not be made before the run or removed after it. */
function troubles({ problems, leftovers }: SuiteResult): string {
  if (problems.length + leftovers.length === 0) return '';
  const items = [
    ...problems.map((text) => `<li>Could not be made: ${html(text)}</li>`),
    ...leftovers.map((text) => `<li>Could not be removed: ${html(text)}</li>`),
  ];
  return `<section><h2>Set-up</h2><ul>${items.join('')}</ul></section>`;
}

const headerLines = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');

const json = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value, null, 2));

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const html = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
