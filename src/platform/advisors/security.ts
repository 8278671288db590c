import { sql } from '../../pg/sql/sql.ts';
import { isProjectSchema } from '../managed-schemas.ts';
import { type Advice, isOfNoExtension, policies, projectRelations, relation } from './advice.ts';

/** Policies that do not protect, and objects that can be misused. */
export const securityAdvice: readonly Advice[] = [
  {
    name: 'policy_exists_rls_disabled',
    title: 'Policy Exists RLS Disabled',
    level: 'ERROR',
    category: 'SECURITY',
    description: 'A table has policies, and row level security is not enabled: they do not hold.',
    remediation: 'alter table ... enable row level security.',
    findings: () => sql`
      select format('Table %I.%I has policies without row level security: %s.', n.nspname, c.relname,
          string_agg(quote_ident(p.polname), ', ' order by p.polname)) as detail,
        ${relation('table')} as metadata, array[n.nspname, c.relname]::text[] as key
      from ${policies}
      where c.relkind = 'r' and not c.relrowsecurity and ${isProjectSchema(sql`n.nspname`)}
        and ${isOfNoExtension(sql`'pg_class'`, sql`c.oid`)}
      group by n.nspname, c.relname
      order by 1`,
  },
  {
    name: 'rls_enabled_no_policy',
    title: 'RLS Enabled No Policy',
    level: 'INFO',
    category: 'SECURITY',
    description: 'A table has row level security and no policy: clients see none of its rows.',
    remediation: 'Create a policy, or leave it so if the service key alone shall read it.',
    findings: () => sql`
      select format('Table %I.%I has row level security and no policy.', n.nspname, c.relname) as detail,
        ${relation('table')} as metadata, array[n.nspname, c.relname]::text[] as key
      from ${projectRelations}
      where c.relkind = 'r' and c.relrowsecurity and not exists (select from pg_policy p where p.polrelid = c.oid)
      order by 1`,
  },
  {
    name: 'rls_policy_always_true',
    title: 'RLS Policy Always True',
    level: 'WARN',
    category: 'SECURITY',
    description: 'A policy lets clients write every row. Policies that only let them read are not counted.',
    remediation: 'Say in the policy whose rows may be written.',
    findings: () => sql`
      select format('Policy %I of table %I.%I lets %s %s every row.', p.polname, n.nspname, c.relname,
          array_to_string(roles, ', '), lower(command)) as detail,
        ${relation('table')} || jsonb_build_object('policy_name', p.polname, 'command', command, 'roles', roles,
          'qual', p.qual, 'with_check', p.with_check, 'permissive_using', opens_using, 'permissive_with_check', opens_check)
          as metadata,
        array[n.nspname, c.relname, p.polname]::text[] as key
      from ${policies}
      join (values ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE'), ('*', 'ALL')) as commands(letter, command)
        on p.polcmd = letter::"char"
      cross join lateral (
        select regexp_replace(lower(p.qual), '[\\s()]', '', 'g') in ('true', '1=1') as qual_is_true,
          regexp_replace(lower(p.with_check), '[\\s()]', '', 'g') in ('true', '1=1') as check_is_true) t
      cross join lateral (
        select command <> 'INSERT' and coalesce(qual_is_true, true) as opens_using,
          coalesce(check_is_true, case command when 'INSERT' then true when 'DELETE' then false
            else coalesce(qual_is_true, false) end) as opens_check,
          (select array_agg(case r when 0 then '-' else r::regrole::text end) from unnest(p.polroles) r) as roles) o
      where c.relkind = 'r' and c.relrowsecurity and p.polpermissive and ${isProjectSchema(sql`n.nspname`)}
        and (p.polroles = '{0}' or exists (select from pg_roles r
          where r.oid = any(p.polroles) and r.rolname in ('anon', 'authenticated')))
        and (opens_using or opens_check)
      order by 1`,
  },
  {
    name: 'rls_references_user_metadata',
    title: 'RLS references user metadata',
    level: 'ERROR',
    category: 'SECURITY',
    description: 'A policy decides by user_metadata, which users write themselves.',
    remediation: 'Decide by app_metadata or by a table of your own.',
    findings: () => sql`
      select format('Policy %I of table %I.%I decides by user_metadata.', p.polname, n.nspname, c.relname) as detail,
        ${relation('table')} as metadata, array[n.nspname, c.relname, p.polname]::text[] as key
      from ${policies}
      where ${isProjectSchema(sql`n.nspname`)}
        and concat_ws(' ', p.qual, p.with_check) ~ '(auth\\.jwt\\(\\)|current_setting\\(.*request\\.jwt\\.claims).*user_metadata'
      order by 1`,
  },
  {
    name: 'function_search_path_mutable',
    title: 'Function Search Path Mutable',
    level: 'WARN',
    category: 'SECURITY',
    description: 'A function finds tables and functions by the search path of whoever calls it.',
    remediation: "alter function ... set search_path = '', and name schemas in its body.",
    findings: () => sql`
      select format('Function %I.%I sets no search_path.', n.nspname, p.proname) as detail,
        jsonb_build_object('schema', n.nspname, 'name', p.proname, 'type', 'function') as metadata,
        array[n.nspname, p.proname, md5(p.prosrc)]::text[] as key
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where ${isProjectSchema(sql`n.nspname`)} and ${isOfNoExtension(sql`'pg_proc'`, sql`p.oid`)}
        and not exists (select from unnest(p.proconfig) s where s like 'search_path=%')
      order by 1`,
  },
  {
    name: 'extension_in_public',
    title: 'Extension in Public',
    level: 'WARN',
    category: 'SECURITY',
    description: 'An extension stands in the schema public, among what clients can call.',
    remediation: 'alter extension ... set schema extensions.',
    findings: () => sql`
      select format('Extension %I stands in the schema public.', x.extname) as detail,
        jsonb_build_object('schema', 'public', 'name', x.extname, 'type', 'extension') as metadata,
        array[x.extname]::text[] as key
      from pg_extension x
      where x.extname <> 'plpgsql' and x.extnamespace = to_regnamespace('public')
      order by 1`,
  },
  {
    name: 'extension_versions_outdated',
    title: 'Extension Versions Outdated',
    level: 'WARN',
    category: 'SECURITY',
    description: 'An extension is older than the version that the server would install.',
    remediation: 'alter extension ... update.',
    findings: () => sql`
      select format('Extension %I is version %s; %s is there.', x.name, x.installed_version, x.default_version) as detail,
        jsonb_build_object('extension_name', x.name, 'installed_version', x.installed_version,
          'default_version', x.default_version) as metadata,
        array[x.name, x.installed_version]::text[] as key
      from pg_available_extensions x
      join pg_available_extension_versions v on v.name = x.name and v.installed
      where x.installed_version <> x.default_version
      order by 1`,
  },
  {
    name: 'fkey_to_auth_unique',
    title: 'Foreign Key to Auth Unique Constraint',
    level: 'ERROR',
    category: 'SECURITY',
    description:
      'A foreign key points to a unique column of auth other than a primary key, which may change.',
    remediation: 'Let the foreign key point to the primary key.',
    findings: () => sql`
      select format('Foreign key %I of table %I.%I points to a unique constraint of auth.', f.conname, n.nspname, c.relname)
          as detail,
        jsonb_build_object('schema', n.nspname, 'name', c.relname, 'foreign_key', f.conname) as metadata,
        array[n.nspname, c.relname, f.conname]::text[] as key
      from pg_constraint f join pg_class c on c.oid = f.conrelid join pg_namespace n on n.oid = c.relnamespace
      join pg_class t on t.oid = f.confrelid and t.relnamespace = to_regnamespace('auth')
      join pg_index i on i.indexrelid = f.conindid and i.indisunique and not i.indisprimary
      where f.contype = 'f'
      order by 1`,
  },
  {
    name: 'unsupported_reg_types',
    title: 'Unsupported reg types',
    level: 'WARN',
    category: 'SECURITY',
    description: 'A column has a type that pg_upgrade cannot carry over to another version of Postgres.',
    remediation: 'Store the name as text, or use regclass, regtype or regrole.',
    findings: () => sql`
      select format('Column %I of table %I.%I has the type %s.', a.attname, n.nspname, c.relname, a.atttypid::regtype) as detail,
        jsonb_build_object('schema', n.nspname, 'name', c.relname, 'column', a.attname, 'type', 'table') as metadata,
        array[n.nspname, c.relname, a.attname]::text[] as key
      from ${projectRelations} join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
      where a.atttypid::regtype::text in ('regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper',
        'regoperator', 'regproc', 'regprocedure')
      order by 1`,
  },
];
