import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { commandOf, isAlive } from '../embedded/processes.ts';

const instanceSchema = z.object({
  pid: z.number(),
  /** Command line of the process: tells it from another one that got its pid later. */
  command: z.string(),
  startedAt: z.string(),
  url: z.string(),
  /** Where it says whether it is ready; undefined in files of older versions. */
  readyUrl: z.string().optional(),
  dbUrl: z.string(),
  /** Login that may bootstrap and reset. */
  ownerUrl: z.string(),
  /** What `status` prints, by the names of the Supabase CLI. */
  values: z.record(z.string(), z.string()),
});

/** What a running instance tells the other commands about itself. */
export type Instance = z.infer<typeof instanceSchema>;

const fileOf = (projectDir: string): string => join(projectDir, '.ownbase', 'instance.json');

/** Writes the file of this process, readable by its owner only: it holds keys. */
export async function writeInstance(
  projectDir: string,
  facts: Omit<Instance, 'pid' | 'command' | 'startedAt'>,
): Promise<void> {
  const instance: Instance = {
    pid: process.pid,
    command: (await commandOf(process.pid)) ?? '',
    startedAt: new Date().toISOString(),
    ...facts,
  };
  const file = fileOf(projectDir);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(instance, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Removes the file of this process; another's is left. */
export async function removeInstance(projectDir: string): Promise<void> {
  const found = await read(projectDir);
  if (found?.pid === process.pid) await rm(fileOf(projectDir), { force: true });
}

/** The instance that runs for a project; undefined when none does, whatever an earlier one left behind. */
export async function findInstance(projectDir: string): Promise<Instance | undefined> {
  const found = await read(projectDir);
  if (!found || !isAlive(found.pid)) return undefined;
  const command = await commandOf(found.pid);
  return command === undefined || command === found.command ? found : undefined;
}

async function read(projectDir: string): Promise<Instance | undefined> {
  const text = await readFile(fileOf(projectDir), 'utf8').catch(() => undefined); // none was started
  if (text === undefined) return undefined;
  const parsed = instanceSchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}
