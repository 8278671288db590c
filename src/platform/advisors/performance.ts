import { sql } from '../../pg/sql/sql.ts';
import { neededPages } from '../inspect/bloat.ts';
import { isProjectSchema } from '../managed-schemas.ts';
import { type Advice, isOfNoExtension, policies, projectRelations, relation } from './advice.ts';

/** What slows a database down. */
export const performanceAdvice: readonly Advice[] = [
  {
    name: 'unindexed_foreign_keys',
    title: 'Unindexed foreign keys',
    level: 'INFO',
    category: 'PERFORMANCE',
    description: 'A foreign key has no index that begins with its columns: joins and deletes scan the table.',
    remediation: 'Create an index on the columns of the foreign key, in their order.',
    findings: () => sql`
      select format('Table %I.%I has no index for its foreign key %I.', n.nspname, c.relname, f.conname) as detail,
        ${relation('table')} || jsonb_build_object('fkey_name', f.conname, 'fkey_columns', to_jsonb(f.conkey)) as metadata,
        array[n.nspname, c.relname, f.conname]::text[] as key
      from ${projectRelations} join pg_constraint f on f.conrelid = c.oid and f.contype = 'f'
      where not exists (
        select from pg_index i where i.indrelid = c.oid and i.indisvalid
          and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] = f.conkey)
      order by 1`,
  },
  {
    name: 'auth_rls_initplan',
    title: 'Auth RLS Initialization Plan',
    level: 'WARN',
    category: 'PERFORMANCE',
    description: 'A policy asks who the user is once for every row.',
    remediation: 'Write (select auth.uid()) in the place of auth.uid(), likewise for the other functions.',
    keyPrefix: 'auth_rls_init_plan',
    findings: () => sql`
      select format('Policy %I of table %I.%I calls auth functions or current_setting() for each row.',
          p.polname, n.nspname, c.relname) as detail,
        ${relation('table')} as metadata, array[n.nspname, c.relname, p.polname]::text[] as key
      from ${policies},
      -- A call right behind a select is evaluated once and does not count.
      regexp_replace(concat_ws(' ', p.qual, p.with_check),
        'select \\(*(auth\\.(uid|jwt|role|email)|current_setting)\\(', '', 'gi') as rest
      where c.relrowsecurity and (${isProjectSchema(sql`n.nspname`)} or n.nspname = 'realtime')
        and rest ~ '(\\mauth\\.(uid|jwt|role|email)|\\mcurrent_setting)\\('
      order by 1`,
  },
  {
    name: 'no_primary_key',
    title: 'No Primary Key',
    level: 'INFO',
    category: 'PERFORMANCE',
    description:
      'A table has no primary key: its rows cannot be named, and changes of it cannot be replicated.',
    remediation: 'Add a primary key.',
    findings: () => sql`
      select format('Table %I.%I has no primary key.', n.nspname, c.relname) as detail,
        ${relation('table')} as metadata, array[n.nspname, c.relname]::text[] as key
      from ${projectRelations}
      where c.relkind = 'r' and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
      order by 1`,
  },
  {
    name: 'unused_index',
    title: 'Unused Index',
    level: 'INFO',
    category: 'PERFORMANCE',
    description: 'An index was never read since statistics are kept, and costs time at every write.',
    remediation: 'Drop the index if nothing else needs it.',
    findings: () => sql`
      select format('Index %I of table %I.%I was never used.', s.indexrelname, n.nspname, c.relname) as detail,
        ${relation('table')} as metadata, array[n.nspname, c.relname, s.indexrelname]::text[] as key
      from ${projectRelations} join pg_stat_user_indexes s on s.relid = c.oid join pg_index i using (indexrelid)
      where s.idx_scan = 0 and not i.indisunique
      order by 1`,
  },
  {
    name: 'multiple_permissive_policies',
    title: 'Multiple Permissive Policies',
    level: 'WARN',
    category: 'PERFORMANCE',
    description:
      'Several permissive policies hold for the same role and command: each is evaluated for every row.',
    remediation: 'Join them to one policy with "or".',
    findings: () => sql`
      select format('Table %I.%I has several permissive policies for role %I and %s: %s.', n.nspname, c.relname,
          r.rolname, command, string_agg(quote_ident(p.polname), ', ' order by p.polname)) as detail,
        ${relation('table')} as metadata, array[n.nspname, c.relname, r.rolname, command]::text[] as key
      from ${policies}
      join pg_roles r on r.oid = any(p.polroles) or p.polroles = '{0}'
      join (values ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE')) as commands(letter, command)
        on p.polcmd in (letter::"char", '*')
      where c.relkind = 'r' and p.polpermissive and ${isProjectSchema(sql`n.nspname`)}
        and ${isOfNoExtension(sql`'pg_class'`, sql`c.oid`)}
        and r.rolname !~ '^(pg_|supabase.*admin$)' and not r.rolbypassrls
      group by n.nspname, c.relname, r.rolname, command
      having count(*) > 1
      order by 1`,
  },
  {
    name: 'duplicate_index',
    title: 'Duplicate Index',
    level: 'WARN',
    category: 'PERFORMANCE',
    description: 'Two or more indexes of a table are the same.',
    remediation: 'Drop all but one of them.',
    findings: () => sql`
      select format('Table %I.%I has identical indexes: %s.', n.nspname, c.relname, array_to_string(names, ', ')) as detail,
        ${relation('table')}
          || jsonb_build_object('type', case c.relkind when 'm' then 'materialized view' else 'table' end, 'indexes', names)
          as metadata,
        array[n.nspname, c.relname, names::text]::text[] as key
      from ${projectRelations} join lateral (
        select array_agg(x.relname::text order by x.relname) as names
        from pg_index i join pg_class x on x.oid = i.indexrelid
        where i.indrelid = c.oid
        group by replace(pg_get_indexdef(x.oid), quote_ident(x.relname), '')
        having count(*) > 1) same on true
      where c.relkind in ('r', 'm')
      order by 1`,
  },
  {
    name: 'table_bloat',
    title: 'Table Bloat',
    level: 'INFO',
    category: 'PERFORMANCE',
    description: 'A table takes far more space than its rows need: reads go through pages that hold nothing.',
    remediation:
      'Run vacuum full in a quiet hour (nobody can use the table meanwhile), and let autovacuum come sooner.',
    // Upstream's limits: 70 times the pages, and 20 MB.
    findings: () => sql`
      with ${neededPages}
      select format('Table %I.%I takes %s that its rows do not need.', schemaname, tablename,
          pg_size_pretty((relpages - pages) * size)) as detail,
        jsonb_build_object('schema', schemaname, 'name', tablename, 'type', 'table') as metadata,
        array[schemaname, tablename]::text[] as key
      from needed
      where relpages > 70 * pages and pages > 0 and (relpages - pages) * size > 20 * 1024 * 1024
      order by 1`,
  },
];
