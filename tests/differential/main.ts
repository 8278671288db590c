import { parseArgs } from 'node:util';
import { differences } from './differences.ts';
import { scenarios } from './scenarios.ts';
import { openTarget, type Recorded } from './target.ts';

/*
 * Replays scenarios on two auth servers and prints every answer that differs:
 *
 *   tsx tests/differential/main.ts --a URL --a-inbox URL --b URL --b-inbox URL --service-key JWT [--only TEXT]
 *
 * Both servers need the same settings, addresses that must be confirmed, and no pause between mails.
 */

const { values } = parseArgs({
  options: {
    a: { type: 'string' },
    b: { type: 'string' },
    'a-inbox': { type: 'string' },
    'b-inbox': { type: 'string' },
    'service-key': { type: 'string' },
    only: { type: 'string', default: '' },
  },
});

function demand(name: 'a' | 'b' | 'a-inbox' | 'b-inbox' | 'service-key'): string {
  const value = values[name];
  if (value === undefined) throw new TypeError(`--${name} is missing`);
  return value;
}

async function replay(side: 'a' | 'b', name: string): Promise<readonly Recorded[]> {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  const target = await openTarget({
    url: demand(side),
    inboxUrl: demand(`${side}-inbox`),
    serviceKey: demand('service-key'),
  });
  try {
    await scenario?.run(target);
  } catch (thrown) {
    return [...target.recorded, { step: 'the scenario broke off', result: String(thrown) }];
  }
  return target.recorded;
}

let count = 0;
for (const { name } of scenarios.filter((scenario) => scenario.name.includes(values.only))) {
  const [left, right] = [await replay('a', name), await replay('b', name)];
  console.log(`# ${name}: ${left.length} steps`);
  const length = Math.max(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const found = differences(left[i]?.result, right[i]?.result);
    if (left[i]?.step === right[i]?.step && found.length === 0) continue;
    count++;
    console.log(`- ${left[i]?.step ?? '(none)'} / ${right[i]?.step ?? '(none)'}`);
    for (const line of found) console.log(`    ${line}`);
  }
}
console.log(`${count} answers differ`);
process.exitCode = count === 0 ? 0 : 1;
