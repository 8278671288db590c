import { parseArgs } from 'node:util';
import { differences } from '../differences.ts';
import { reasonFor } from './documented.ts';
import { scenarios } from './scenarios.ts';
import { openTarget, type Recorded } from './target.ts';

/*
 * Replays scenarios on two storage servers and prints every answer that differs:
 *
 *   tsx tests/differential/storage/main.ts --a URL --a-db URL --b URL --b-db URL [--only TEXT] [--all]
 *
 * Both servers need the demo secret and S3 keys, a size limit of 50 MiB and signed uploads of two hours. Their buckets,
 * objects and policies are deleted. Differences that docs/differences.md names are in documented.json, line by line; they are counted and, with --all,
 * shown.
 */

const { values } = parseArgs({
  options: {
    a: { type: 'string' },
    b: { type: 'string' },
    'a-db': { type: 'string' },
    'b-db': { type: 'string' },
    'jwt-secret': { type: 'string', default: 'super-secret-jwt-token-with-at-least-32-characters-long' },
    only: { type: 'string', default: '' },
    all: { type: 'boolean', default: false },
  },
});

function demand(name: 'a' | 'b' | 'a-db' | 'b-db'): string {
  const value = values[name];
  if (value === undefined) throw new TypeError(`--${name} is missing`);
  return value;
}

async function replay(side: 'a' | 'b', name: string): Promise<readonly Recorded[]> {
  const target = await openTarget({
    url: demand(side),
    db: demand(`${side}-db`),
    jwtSecret: values['jwt-secret'],
    s3: {
      accessKey: '625729a08b95bf1b7ff351a663f3a23c',
      secret: '850181e4652dd023b7a98c58ae0d2d34bd487ee0cc3254aed6eda37307425907',
      region: 'local',
    },
  });
  try {
    await scenarios.find((candidate) => candidate.name === name)?.run(target);
  } catch (thrown) {
    return [...target.recorded, { step: 'the scenario broke off', result: String(thrown) }];
  } finally {
    await target.close();
  }
  return target.recorded;
}

const counts = { steps: 0, differing: 0, documented: 0 };
for (const { name } of scenarios.filter((scenario) => scenario.name.includes(values.only))) {
  const [left, right] = [await replay('a', name), await replay('b', name)];
  console.log(`# ${name}: ${left.length} steps`);
  const length = Math.max(left.length, right.length);
  for (let i = 0; i < length; i++) {
    counts.steps++;
    const [a, b] = [left[i], right[i]];
    const found = differences(a?.result, b?.result);
    if (a?.step === b?.step && found.length === 0) continue;
    const isSameStep = a !== undefined && a.step === b?.step;
    const why = isSameStep ? reasonFor(name, a.step, found) : null;
    counts[why === null ? 'differing' : 'documented']++;
    if (why !== null && !values.all) continue;
    const step = isSameStep ? a.step : `${a?.step ?? '(none)'} / ${b?.step ?? '(none)'}`;
    console.log(`- ${step}${why === null ? '' : ` (${why})`}`);
    for (const line of found) console.log(`    ${line}`);
  }
}
console.log(`${counts.steps} answers, ${counts.differing} differ, ${counts.documented} more as documented`);
process.exitCode = counts.differing === 0 ? 0 : 1;
