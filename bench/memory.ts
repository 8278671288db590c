import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { connect } from '../src/pg/connect.ts';
import { loginUrl } from '../tests/support/cluster.ts';
import { benchToken, startOwnbase, withDataset } from './setup.ts';

/*
 * How much one large answer makes the server grow: the peak of its resident memory meanwhile, against the length of
 * the answer. The first round counts most: later ones find the memory that it left. Needs /proc.
 */
const { values: flags } = parseArgs({ options: { megabytes: { type: 'string', default: '200' } } });

/** A thousand rows, the most that the server gives; with characters that a string needs two bytes for. */
const fixture = `
  create table public.documents (id int primary key, content text not null);
  insert into public.documents
    select id, repeat('€é' || md5(id::text), ${Number(flags.megabytes) * 27}) from generate_series(1, 1000) as id;
  grant select on public.documents to authenticated;
  alter role authenticated set statement_timeout = 0;`;

/** Resident memory of a process in bytes: now, and at its highest since the peak was forgotten. */
function memory(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

/** Reads an answer to its end without keeping it; yields its length in bytes. */
async function drain(url: string): Promise<number> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${benchToken()}` } });
  if (!response.ok) throw new Error(`the server answered ${response.status}: ${await response.text()}`);
  let length = 0;
  for await (const chunk of response.body ?? []) length += (chunk as Uint8Array).length;
  return length;
}

const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

await withDataset(async (databaseUrl, started) => {
  const postgres = await connect(loginUrl(new URL(databaseUrl), 'postgres', 'postgres'));
  await postgres.exec(fixture);
  await postgres.end();
  const server = started(await startOwnbase(databaseUrl));
  const documents = `${server.url}/documents?select=id,content`;
  await drain(`${documents}&limit=1`);
  for (let round = 1; round <= 3; round++) {
    writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
    const before = memory(server.pid).now;
    const startedAt = performance.now();
    const length = await drain(documents);
    const seconds = (performance.now() - startedAt) / 1000;
    const growth = memory(server.pid).peak - before;
    process.stdout.write(
      `${inMegabytes(length)} in ${seconds.toFixed(1)} s, from ${inMegabytes(before)}: growth ` +
        `${inMegabytes(growth)}, ${(growth / length).toFixed(2)} times the answer\n`,
    );
  }
});
