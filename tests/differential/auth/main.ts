import { parseArgs } from 'node:util';
import { secretSigningKey, signToken } from '../../../src/identity/sign.ts';
import { withoutAccepted } from './accepted.ts';
import { compareRecordings } from './compare.ts';
import { type Profile, profiles } from './profiles.ts';
import { type Scenario, scenarios } from './scenarios/all.ts';
import { type Side, startOwn, startUpstream } from './servers.ts';
import { openTarget, type Recorded } from './target.ts';

/*
 * Replays scenarios on upstream's auth server and on this project's, and prints everything that differs; README.md says
 * how to get one of upstream's.
 */

const { values } = parseArgs({
  options: {
    upstream: { type: 'string' },
    postgres: { type: 'string' },
    profile: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
  },
});

const { upstream, postgres } = values;
if (upstream === undefined || postgres === undefined) {
  throw new TypeError('--upstream PROGRAM and --postgres URL are needed');
}
const options = { upstream, postgres, isVerbose: values.verbose };

async function replay(side: Side, scenario: Scenario, profile: Profile): Promise<readonly Recorded[]> {
  const key = secretSigningKey(profile.env.GOTRUE_JWT_SECRET ?? '');
  const target = await openTarget(side, await signToken({ role: 'service_role' }, key));
  let broken: readonly Recorded[] = [];
  try {
    await scenario.run(target);
  } catch (thrown) {
    broken = [{ step: 'the scenario broke off', result: String(thrown) }];
    // Where it broke is of interest even when both sides break.
    console.log(
      `- broke off: ${thrown instanceof Error ? thrown.stack?.split('\n').slice(0, 4).join(' ') : thrown}`,
    );
  }
  return [...(await target.finish()), ...broken];
}

async function compareProfile(profile: Profile): Promise<number> {
  const chosen = scenarios.filter(
    ({ name, profiles: names }) => names.includes(profile.name) && name.includes(values.only),
  );
  if (chosen.length === 0) return 0;
  const left = await startUpstream(options, profile);
  let right: Side | null = null;
  let count = 0;
  try {
    right = await startOwn(options, profile);
    const sides = [left, right];
    for (const scenario of chosen) {
      const [a, b] = await Promise.all(sides.map((side) => replay(side, scenario, profile)));
      console.log(`# ${profile.name}: ${scenario.name}: ${a?.length} steps`);
      for (const difference of compareRecordings(a ?? [], b ?? [])) {
        const left = withoutAccepted(difference);
        if (left === null) continue;
        const { step, places } = left;
        count++;
        console.log(`- ${step}`);
        for (const place of places) console.log(`    ${place}`);
      }
    }
  } finally {
    await Promise.all([left.close(), right?.close()]);
  }
  return count;
}

let count = 0;
for (const profile of profiles.filter(({ name }) => name.includes(values.profile))) {
  count += await compareProfile(profile);
}
console.log(`${count} steps differ`);
process.exitCode = count === 0 ? 0 : 1;
