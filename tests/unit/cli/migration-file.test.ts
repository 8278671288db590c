import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandFailure } from '../../../src/cli/exit.ts';
import { versionOf, writeMigration } from '../../../src/cli/migration-file.ts';

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'ownbase-migration-'));
});
afterEach(() => rm(project, { recursive: true }));

describe('a new migration', () => {
  it('is a file of its time and name', async () => {
    const path = await writeMigration(project, 'add_posts', 'select 1');
    expect(path).toMatch(/^supabase\/migrations\/\d{14}_add_posts\.sql$/);
    expect(await readFile(join(project, path), 'utf8')).toBe('select 1');
  });

  it('has a version of its own, later than those made in the same second', async () => {
    const names = ['c', 'b', 'a', 'a'];
    const versions: string[] = [];
    for (const name of names) versions.push(versionOf(await writeMigration(project, name, '')));
    expect(new Set(versions).size).toBe(names.length);
    expect(versions).toEqual([...versions].sort());
    expect(await readdir(join(project, 'supabase', 'migrations'))).toHaveLength(names.length);
  });

  it('stays in its folder', async () => {
    await expect(writeMigration(project, '../elsewhere', '')).rejects.toThrow(CommandFailure);
  });
});
