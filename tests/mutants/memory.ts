import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Mutant } from './mutants.ts';

/** What earlier runs found. */
export type Memory = {
  /** Whether this very program passed the whole suite. */
  isSound(): boolean;
  noteSound(): void;
  /** The outcome of the same mistake in the same program under the same cases; undefined when it was not tried. */
  outcomeOf(mutant: Mutant): string | null | undefined;
  /** The case that noticed a mistake of this name in any program. */
  lastNoticedBy(mutant: Mutant): string | null;
  note(mutant: Mutant, noticedBy: string | null): void;
};

type Entry = { readonly of: string; readonly noticedBy: string | null };
type Stored = { sound: string; readonly entries: Record<string, Entry> };

/** A hash of every file below a folder. */
export async function hashOf(dir: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  for (const path of paths.sort()) hash.update(path.slice(dir.length)).update(await readFile(path));
  return hash.digest('hex');
}

/** Opens the memory that a file keeps; `program` stands for the program and the cases. */
export function openMemory(path: string, program: string): Memory {
  const stored = read(path);
  const save = (): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(stored, null, 2));
  };
  const nameOf = ({ service, name }: Mutant): string => `${service}: ${name}`;
  const stampOf = ({ file, find, replace }: Mutant): string =>
    createHash('sha256')
      .update(JSON.stringify([program, file, find, replace]))
      .digest('hex');
  return {
    isSound: () => stored.sound === program,
    noteSound() {
      stored.sound = program;
      save();
    },
    outcomeOf(mutant) {
      const entry = stored.entries[nameOf(mutant)];
      return entry?.of === stampOf(mutant) ? entry.noticedBy : undefined;
    },
    lastNoticedBy: (mutant) => stored.entries[nameOf(mutant)]?.noticedBy ?? null,
    note(mutant, noticedBy) {
      stored.entries[nameOf(mutant)] = { of: stampOf(mutant), noticedBy };
      save();
    },
  };
}

function read(path: string): Stored {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Stored;
  } catch {
    return { sound: '', entries: {} }; // the first run
  }
}
