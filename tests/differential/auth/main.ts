import { parseArgs } from 'node:util';
import { secretSigningKey, signToken } from '../../../src/identity/sign.ts';
import { judge } from './accepted.ts';
import { compareRecordings } from './compare.ts';
import { type Profile, profiles } from './profiles.ts';
import { type Scenario, scenarios } from './scenarios/all.ts';
import { type Side, startOwn, startUpstream } from './servers.ts';
import { openTarget, type Recorded, warmUp } from './target.ts';

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
    accepted: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const { upstream, postgres } = values;
if (upstream === undefined || postgres === undefined) {
  throw new TypeError('--upstream PROGRAM and --postgres URL are needed');
}
const options = { upstream, postgres, isVerbose: values.verbose };

const serviceKeyOf = (profile: Profile): Promise<string> =>
  signToken({ role: 'service_role' }, secretSigningKey(profile.env.GOTRUE_JWT_SECRET ?? ''));

async function replay(side: Side, scenario: Scenario, profile: Profile): Promise<readonly Recorded[]> {
  const target = await openTarget(side, await serviceKeyOf(profile));
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

/** Steps of a run by how they compared. */
type Tally = { same: number; meant: number; unexplained: number; readonly reasons: Map<string, number> };

const tally: Tally = { same: 0, meant: 0, unexplained: 0, reasons: new Map() };

function tell(a: readonly Recorded[], b: readonly Recorded[]): void {
  const differing = compareRecordings(a, b);
  tally.same += Math.max(a.length, b.length) - differing.length;
  for (const { step, unexplained, meant } of differing.map(judge)) {
    for (const reason of new Set(meant.map(({ reason }) => reason))) {
      tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
    }
    if (unexplained.length === 0) tally.meant++;
    else tally.unexplained++;
    if (unexplained.length === 0 && !values.accepted) continue;
    console.log(`- ${step}`);
    for (const place of unexplained) console.log(`    ${place}`);
    if (!values.accepted) continue;
    for (const { place, reason } of meant) console.log(`    (${reason}) ${place}`);
  }
}

async function compareProfile(profile: Profile): Promise<void> {
  const chosen = scenarios.filter(
    ({ name, profiles: names }) => names.includes(profile.name) && name.includes(values.only),
  );
  if (chosen.length === 0) return;
  const left = await startUpstream(options, profile);
  let right: Side | null = null;
  try {
    right = await startOwn(options, profile);
    const sides = [left, right];
    const serviceKey = await serviceKeyOf(profile);
    await Promise.all(sides.map((side) => warmUp(side, serviceKey)));
    for (const scenario of chosen) {
      const [a, b] = await Promise.all(sides.map((side) => replay(side, scenario, profile)));
      console.log(`# ${profile.name}: ${scenario.name}: ${a?.length} steps`);
      tell(a ?? [], b ?? []);
    }
  } finally {
    await Promise.all([left.close(), right?.close()]);
  }
}

for (const profile of profiles.filter(({ name }) => name.includes(values.profile))) {
  await compareProfile(profile);
}
console.log('');
for (const [reason, count] of tally.reasons) console.log(`meant in ${count} steps: ${reason}`);
console.log(
  `${tally.same} steps are the same, ${tally.meant} differ as meant, ${tally.unexplained} are unexplained`,
);
process.exitCode = tally.unexplained === 0 ? 0 : 1;
