import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { type LoadResult, load } from './load.ts';
import { benchToken, startOwnbase, withDataset } from './setup.ts';
import { workloads } from './workloads.ts';

/*
 * What a second worker brings: one worker held to half a core against two workers held to a whole one, by the quota
 * of a control group (cgroup v1 or v2, as root).
 */
const periodMicros = 10_000;

function group(
  name: string,
  cores: number,
): { add(pid: number): void; leave(pid: number): void; remove(): void } {
  const v1 = `/sys/fs/cgroup/cpu/${name}`;
  try {
    mkdirSync(v1);
    writeFileSync(`${v1}/cpu.cfs_period_us`, String(periodMicros));
    writeFileSync(`${v1}/cpu.cfs_quota_us`, String(Math.round(cores * periodMicros)));
    return {
      add: (pid) => writeFileSync(`${v1}/cgroup.procs`, String(pid)),
      leave: (pid) => writeFileSync('/sys/fs/cgroup/cpu/cgroup.procs', String(pid)),
      remove: () => rmdirSync(v1),
    };
  } catch {
    // No cgroup v1 here: version 2 has one tree and other file names.
    const v2 = `/sys/fs/cgroup/${name}`;
    mkdirSync(v2);
    writeFileSync(`${v2}/cpu.max`, `${Math.round(cores * periodMicros)} ${periodMicros}`);
    return {
      add: (pid) => writeFileSync(`${v2}/cgroup.procs`, String(pid)),
      leave: (pid) => writeFileSync('/sys/fs/cgroup/cgroup.procs', String(pid)),
      remove: () => rmdirSync(v2),
    };
  }
}

const [workload] = workloads;

await withDataset(async (databaseUrl, started) => {
  if (workload === undefined) return;
  const measure = async (workers: number, cores: number): Promise<LoadResult> => {
    const limit = group(`ownbase-bench-${process.pid}-${workers}`, cores);
    // Children inherit the group of their parent: this process joins it for the moment of the start.
    limit.add(process.pid);
    const server = started(await startOwnbase(databaseUrl, workers));
    limit.leave(process.pid);
    const options = { url: server.url, pid: server.pid, connections: 32, token: benchToken() };
    await load(workload, { ...options, seconds: 2 });
    const result = await load(workload, { ...options, seconds: 6 });
    await server.stop();
    limit.remove();
    return result;
  };
  const one = await measure(1, 0.5);
  const two = await measure(2, 1);
  process.stdout.write(`one worker on half a core     ${one.perSecond.toFixed(0)}/s, p99 ${one.p99} ms\n`);
  process.stdout.write(`two workers on a whole one    ${two.perSecond.toFixed(0)}/s, p99 ${two.p99} ms\n`);
  process.stdout.write(`ratio                         ${(two.perSecond / one.perSecond).toFixed(2)}\n`);
});
