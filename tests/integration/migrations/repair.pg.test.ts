import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { repairHistory } from '../../../src/platform/migrations/repair.ts';
import { planMigration } from '../../../src/platform/migrations/run.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createProject } from '../../support/project.ts';
import { apply } from './support.ts';

const database = await createTestDatabase();
const url = database.url('postgres');
const files = {
  'supabase/migrations/1_a.sql': 'create table a ();\ncreate table aa ();',
  'supabase/migrations/2_b.sql': 'create table b ();',
  'supabase/roles.sql': 'select 1;',
  'supabase/seed.sql': 'select 2;',
};
const history = () =>
  database.owner.query(
    sql`select version, name, statements from supabase_migrations.schema_migrations order by 1`,
  );

describe('a history that is repaired', () => {
  it('says applied of a file that was not, with its statements', async () => {
    const projectDir = await createProject(files);
    expect(await repairHistory({ projectDir, url, versions: ['1'], status: 'applied' })).toEqual(['1']);
    expect(await history()).toEqual([
      { version: '1', name: 'a', statements: ['create table a ()', 'create table aa ()'] },
    ]);
    expect((await planMigration({ projectDir, url })).scripts).toEqual([
      { what: 'migration', path: 'supabase/migrations/2_b.sql' },
    ]);
  });

  it('forgets a version that has no file', async () => {
    const projectDir = await createProject(files);
    await database.owner.query(sql`insert into supabase_migrations.schema_migrations (version) values ('9')`);
    await repairHistory({ projectDir, url, versions: ['9', '1'], status: 'reverted' });
    expect(await history()).toEqual([]);
  });

  it('refuses to say applied of a version without a file, and changes nothing', async () => {
    const projectDir = await createProject(files);
    const repaired = repairHistory({ projectDir, url, versions: ['1', '7'], status: 'applied' });
    await expect(repaired).rejects.toMatchObject({ code: 'unreadable' });
    expect(await history()).toEqual([]);
  });

  it('as a whole says what the files say', async () => {
    const projectDir = await createProject(files);
    await database.owner.query(sql`insert into supabase_migrations.schema_migrations (version) values ('9')`);
    await repairHistory({ projectDir, url, versions: [], status: 'applied' });
    expect((await history()).map(({ version }) => version)).toEqual(['1', '2']);
    await repairHistory({ projectDir, url, versions: [], status: 'reverted' });
    expect(await history()).toEqual([]);
  });
});

describe('a plan', () => {
  it('lists roles and seeds when they are asked for, and changes nothing', async () => {
    const projectDir = await createProject(files);
    const { scripts } = await planMigration({ projectDir, url, roles: 'always', seed: 'always' });
    expect(scripts.map(({ what }) => what)).toEqual(['roles', 'migration', 'migration', 'seed']);
    expect(await history()).toEqual([]);
  });

  it('leaves out roles.sql when it is not to run, also on a fresh database', async () => {
    const projectDir = await createProject(files);
    const { applied } = await apply(database, projectDir, { roles: 'never', seed: 'never' });
    expect(applied.map(({ version }) => version)).toEqual(['1', '2']);
    expect((await planMigration({ projectDir, url })).scripts).toEqual([]);
  });
});
