import { sql } from '../../pg/sql/sql.ts';
import { isProjectSchema } from '../managed-schemas.ts';
import { type Advice, isInvokersView, isReadByClients, projectRelations, relation } from './advice.ts';

/** Names of columns that hold what nobody but its owner should see. */
const SENSITIVE =
  'password passwd pwd passphrase secret secret_key private_key api_key apikey auth_key token jwt access_token refresh_token oauth_token session_token bearer_token auth_code session_id session_key session_secret recovery_code backup_code verification_code otp two_factor 2fa_secret 2fa_code ssn social_security social_security_number driver_license drivers_license license_number passport_number passport_id national_id tax_id credit_card card_number cvv cvc cvn bank_account account_number routing_number iban swift_code bic health_record medical_record patient_id insurance_number health_insurance medical_insurance treatment mac_address macaddr imei device_uuid pgp_key gpg_key ssh_key certificate license_key activation_key facial_recognition'.split(
    ' ',
  );

/** What clients of the API can see and should not. `exposed` are the schemas that the API shows. */
export const exposureAdvice: readonly Advice[] = [
  {
    name: 'auth_users_exposed',
    title: 'Exposed Auth Users',
    level: 'ERROR',
    category: 'SECURITY',
    description: 'A view that clients can read takes from auth.users, with the rights of its owner.',
    remediation: 'Drop the view, move it out of the schemas of the API, or revoke select on it.',
    findings: (exposed) => sql`
      select format('View %I.%I shows data of auth.users to clients.', n.nspname, c.relname) as detail,
        ${relation('view')} || jsonb_build_object('exposed_to', (
          select jsonb_agg(r.rolname order by r.rolname) from pg_roles r
          where r.rolname in ('anon', 'authenticated') and has_table_privilege(r.oid, c.oid, 'select'))) as metadata,
        array[n.nspname, c.relname]::text[] as key
      from ${projectRelations}
      where c.relkind in ('v', 'm') and n.nspname = any(${exposed}::text[]) and ${isReadByClients}
        and exists (
          select from pg_rewrite w join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
          join pg_class u on u.oid = d.refobjid and u.relname = 'users' and u.relnamespace = to_regnamespace('auth')
          where w.ev_class = c.oid and (c.relkind = 'm' or not ${isInvokersView} or not u.relrowsecurity))
      order by 1`,
  },
  {
    name: 'security_definer_view',
    title: 'Security Definer View',
    level: 'ERROR',
    category: 'SECURITY',
    description: 'A view that clients can read answers with the rights of its owner: policies do not hold.',
    remediation: 'alter view ... set (security_invoker = on).',
    findings: (exposed) => sql`
      select format('View %I.%I is read with the rights of its owner.', n.nspname, c.relname) as detail,
        ${relation('view')} as metadata, array[n.nspname, c.relname]::text[] as key
      from ${projectRelations}
      where c.relkind = 'v' and n.nspname = any(${exposed}::text[]) and ${isReadByClients} and not ${isInvokersView}
      order by 1`,
  },
  {
    name: 'rls_disabled_in_public',
    title: 'RLS Disabled in Public',
    level: 'ERROR',
    category: 'SECURITY',
    description:
      'A table that clients can read has no row level security: whoever has the public key reads it all.',
    remediation: 'alter table ... enable row level security, and create policies.',
    findings: (exposed) => sql`
      select format('Table %I.%I has no row level security and clients can read it.', n.nspname, c.relname) as detail,
        ${relation('table')} as metadata, array[n.nspname, c.relname]::text[] as key
      from ${projectRelations}
      where c.relkind = 'r' and not c.relrowsecurity and n.nspname = any(${exposed}::text[]) and ${isReadByClients}
      order by 1`,
  },
  {
    name: 'sensitive_columns_exposed',
    title: 'Sensitive Columns Exposed',
    level: 'ERROR',
    category: 'SECURITY',
    description:
      'A table without row level security that clients can read has columns that sound confidential.',
    remediation: 'Enable row level security, or revoke select on the columns from anon and authenticated.',
    findings: (exposed) => sql`
      select format('Table %I.%I shows to clients: %s.', n.nspname, c.relname, array_to_string(columns, ', ')) as detail,
        ${relation('table')} || jsonb_build_object('sensitive_columns', columns, 'matched_patterns', patterns) as metadata,
        array[n.nspname, c.relname]::text[] as key
      from ${projectRelations} join lateral (
        select array_agg(a.attname::text order by a.attname) as columns,
          array_agg(distinct replace(lower(a.attname), '-', '_')) as patterns
        from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and replace(lower(a.attname), '-', '_') = any(${SENSITIVE}::text[])) found on columns is not null
      where c.relkind = 'r' and not c.relrowsecurity and n.nspname = any(${exposed}::text[]) and ${isReadByClients}
      order by 1`,
  },
  {
    name: 'materialized_view_in_api',
    title: 'Materialized View in API',
    level: 'WARN',
    category: 'SECURITY',
    description: 'Clients can read a materialized view, on which no policy can hold.',
    remediation: 'Revoke select on it from anon and authenticated, or move it out of the schemas of the API.',
    findings: (exposed) => sql`
      select format('Materialized view %I.%I can be read by clients.', n.nspname, c.relname) as detail,
        ${relation('materialized view')} as metadata, array[n.nspname, c.relname]::text[] as key
      from ${projectRelations}
      where c.relkind = 'm' and n.nspname = any(${exposed}::text[]) and ${isReadByClients}
      order by 1`,
  },
  {
    name: 'foreign_table_in_api',
    title: 'Foreign Table in API',
    level: 'WARN',
    category: 'SECURITY',
    description: 'Clients can read a foreign table, on which no policy can hold.',
    remediation: 'Revoke select on it from anon and authenticated, or move it out of the schemas of the API.',
    findings: (exposed) => sql`
      select format('Foreign table %I.%I can be read by clients.', n.nspname, c.relname) as detail,
        ${relation('foreign table')} as metadata, array[n.nspname, c.relname]::text[] as key
      from ${projectRelations}
      where c.relkind = 'f' and n.nspname = any(${exposed}::text[]) and ${isReadByClients}
      order by 1`,
  },
  {
    name: 'insecure_queue_exposed_in_api',
    title: 'Insecure Queue Exposed in API',
    level: 'ERROR',
    category: 'SECURITY',
    description:
      'A queue without row level security can be reached through the schema pgmq_public of the API.',
    remediation: 'alter table ... enable row level security, and create policies.',
    keyPrefix: 'rls_disabled_in_public',
    findings: (exposed) => sql`
      select format('Queue %I.%I has no row level security and clients can read it.', n.nspname, c.relname) as detail,
        ${relation('table')} as metadata, array[n.nspname, c.relname]::text[] as key
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and not c.relrowsecurity and n.nspname = 'pgmq' and c.relname like 'q\\_%'
        and 'pgmq_public' = any(${exposed}::text[]) and ${isReadByClients}
      order by 1`,
  },
  {
    name: 'public_bucket_allows_listing',
    title: 'Public Bucket Allows Listing',
    level: 'WARN',
    category: 'SECURITY',
    description:
      'A policy lets clients read every row of a public bucket: they can list its files, which nobody needs for links.',
    remediation: 'Drop the policy, or let it name whose files may be listed.',
    findings: () => sql`
      select format('Clients can list all files of the public bucket %s, by %s.', b.name,
          string_agg(quote_ident(p.policyname), ', ' order by p.policyname)) as detail,
        jsonb_build_object('schema', 'storage', 'name', b.name, 'type', 'bucket', 'bucket_id', b.id, 'bucket_name', b.name,
          'policy_names', jsonb_agg(p.policyname order by p.policyname), 'policy_count', count(*)) as metadata,
        array[b.id]::text[] as key
      from storage.buckets b
      join pg_policies p on p.schemaname = 'storage' and p.tablename = 'objects' and p.permissive = 'PERMISSIVE'
        and p.cmd in ('SELECT', 'ALL') and p.roles && array['public', 'anon', 'authenticated']::name[]
      cross join lateral (select regexp_replace(coalesce(p.qual, 'true'), '[\\s()]', '', 'g')) as q(condition)
      where b.public and (lower(condition) in ('true', '1=1')
        -- Postgres prints a condition on a text column with the type of the constant.
        or regexp_replace(condition, '::[[:alnum:]_.]+$', '') = 'bucket_id=' || regexp_replace(
          quote_literal(b.id), '[\\s()]', '', 'g'))
      group by b.id, b.name
      order by 1`,
  },
  callableAsOwner('anon', 'Public Can Execute SECURITY DEFINER Function', 'everybody'),
  callableAsOwner(
    'authenticated',
    'Signed-In Users Can Execute SECURITY DEFINER Function',
    'whoever has signed in',
  ),
];

/** Functions with the rights of their owner, which pass row security, that a role may call through the API. */
function callableAsOwner(role: 'anon' | 'authenticated', title: string, who: string): Advice {
  return {
    name: `${role}_security_definer_function_executable`,
    title,
    level: 'WARN',
    category: 'SECURITY',
    description: `A function runs with the rights of its owner, and ${who} can call it: policies do not hold in it.`,
    remediation:
      'Revoke execute on it, make it security invoker, or move it out of the schemas that the API shows.',
    findings: (exposed) => sql`
      select format('Function %I.%I(%s) runs with the rights of its owner for the role %s.', n.nspname, f.proname,
          arguments, ${role}::text) as detail,
        jsonb_build_object('schema', n.nspname, 'name', f.proname, 'arguments', arguments, 'language', l.lanname,
          'security_definer', true) as metadata,
        array[n.nspname, f.proname, arguments]::text[] as key
      from pg_proc f join pg_namespace n on n.oid = f.pronamespace join pg_language l on l.oid = f.prolang
      cross join lateral (select pg_get_function_identity_arguments(f.oid)) as a(arguments)
      where f.prosecdef and n.nspname = any(${exposed}::text[]) and ${isProjectSchema(sql`n.nspname`)}
        and exists (select from pg_roles r where r.rolname = ${role} and has_function_privilege(r.oid, f.oid, 'execute'))
      order by 1`,
  };
}
