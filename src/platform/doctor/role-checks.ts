import { sql } from '../../pg/sql/sql.ts';
import { type Check, fail, healthy, missingCheck, sqlCheck, startAgain, warn } from './check.ts';

const serviceRoles = [
  'postgres',
  'anon',
  'authenticated',
  'service_role',
  'authenticator',
  'supabase_auth_admin',
  'supabase_storage_admin',
  'supabase_realtime_admin',
];

/** `member in role`, as the services and migrations need them. */
const memberships = [
  'authenticator in anon',
  'authenticator in authenticated',
  'authenticator in service_role',
  'postgres in supabase_auth_admin',
  'postgres in supabase_storage_admin',
  'postgres in supabase_realtime_admin',
];

/**
 * Memberships that stand in the way of those above, since Postgres knows no circles, as the statements that end them.
 * From Postgres 16 on a grant is taken back in the name of who gave it.
 */
const circles = sql`
  with recursive wanted as (
    select pair, to_regrole(split_part(pair, ' ', 1)) as member, to_regrole(split_part(pair, ' ', 3)) as granted
    from unnest(${memberships}::text[]) as pair
  ), above as (
    select w.pair, w.member as wanted, m.roleid, m.member, m.grantor
    from wanted w join pg_auth_members m on m.member = w.granted
    union
    select a.pair, a.wanted, m.roleid, m.member, m.grantor
    from above a join pg_auth_members m on m.member = a.roleid
  )
  select array(
    select distinct format('revoke %s from %s', roleid::regrole, member::regrole)
      || case when current_setting('server_version_num')::int >= 160000
           then format(' granted by %s', grantor::regrole) else '' end
    from above where roleid = wanted) as missing`;

/** Checks of roles, and of what they may see. */
export const roleChecks: readonly Check[] = [
  missingCheck({
    id: 'roles',
    title: 'Roles of the services and the API',
    facts: sql`select array(
        select name from unnest(${serviceRoles}::text[]) as name where to_regrole(name) is null) as missing`,
    judge: (missing) => fail(`these roles are missing: ${missing.join(', ')}`, startAgain),
  }),
  missingCheck({
    id: 'membership-circles',
    title: 'No membership stands in the way of another',
    facts: circles,
    judge: (statements) =>
      fail(
        'roles of the services are members of those that must be members of them',
        `As a superuser: ${statements.join('; ')}. Then run \`ownbase start\`.`,
      ),
  }),
  missingCheck({
    id: 'memberships',
    title: 'Who may act as whom',
    facts: sql`select array(
        select pair from unnest(${memberships}::text[]) as pair
        where not exists (
          select from pg_auth_members
          where member = to_regrole(split_part(pair, ' ', 1)) and roleid = to_regrole(split_part(pair, ' ', 3)))
          and not (select rolsuper from pg_roles where rolname = split_part(pair, ' ', 1))) as missing`,
    judge: (missing) =>
      fail(
        `these memberships are missing: ${missing.join(', ')}`,
        'As an administrator of the roles: grant ROLE to MEMBER.',
      ),
  }),
  missingCheck({
    id: 'bypassrls',
    title: 'Service key and migrations pass row security',
    facts: sql`select array(
        select rolname::text from pg_roles
        where rolname in ('service_role', 'postgres') and not rolbypassrls and not rolsuper) as missing`,
    judge: (missing) =>
      fail(
        `these roles do not bypass row security: ${missing.join(', ')}`,
        'As a superuser: alter role NAME bypassrls. Without one, give service_role policies that allow all.',
      ),
  }),
  sqlCheck<{ excess: readonly string[] }>({
    id: 'api-login',
    title: 'The API login has no rights of its own',
    facts: sql`select array_remove(array[
        case when rolsuper then 'superuser' end, case when rolbypassrls then 'bypassrls' end,
        case when rolinherit then 'inherit' end, case when rolcreaterole then 'createrole' end], null) as excess
      from pg_roles where rolname = 'authenticator'`,
    judge: ({ excess }) =>
      excess.length === 0
        ? healthy
        : fail(
            `authenticator is ${excess.join(', ')}`,
            'alter role authenticator nosuperuser nobypassrls noinherit nocreaterole',
          ),
  }),
  missingCheck({
    id: 'statement-timeouts',
    title: 'Statement timeouts of the API roles',
    facts: sql`select array(
        select name from unnest(array['anon', 'authenticated', 'authenticator']) as name
        where not exists (
          select from pg_db_role_setting s, unnest(s.setconfig) as setting
          where s.setrole = to_regrole(name) and setting ~ '^statement_timeout=' and setting <> 'statement_timeout=0'
        )) as missing`,
    judge: (missing) =>
      warn(
        `these roles may run a statement for ever: ${missing.join(', ')}`,
        `alter role NAME set statement_timeout = '8s'`,
      ),
  }),
  sqlCheck<{ open: readonly string[] }>({
    id: 'private-data',
    title: 'Accounts, secrets and our own tables are out of the API’s reach',
    facts: sql`select array(
        select role || ' reads ' || relation
        from unnest(array['anon', 'authenticated']) as role,
          unnest(array['auth.users', 'auth.sessions', 'auth.refresh_tokens', 'vault.decrypted_secrets',
                       'ownbase.instance', 'ownbase.outbox']) as relation
        where to_regclass(relation) is not null and has_table_privilege(role, relation, 'select')
          and has_schema_privilege(role, split_part(relation, '.', 1), 'usage')) as open`,
    judge: ({ open }) =>
      open.length === 0
        ? healthy
        : fail(open.join(', '), 'revoke all on TABLE from anon, authenticated, public'),
  }),
];
