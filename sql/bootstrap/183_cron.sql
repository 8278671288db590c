-- Schedules, where the server does not have pg_cron: kept with all that a scheduler needs, and run by none yet.

create schema if not exists cron authorization supabase_admin;

create sequence if not exists cron.jobid_seq;
create sequence if not exists cron.runid_seq;

create table if not exists cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport integer not null default coalesce(inet_server_port(), 5432),
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);
alter table cron.job enable row level security;

create table if not exists cron.job_run_details (
  jobid bigint,
  runid bigint primary key default nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);
alter table cron.job_run_details enable row level security;

do $$
declare
  kept text;
begin
  foreach kept in array array['job', 'job_run_details'] loop
    if not exists (select from pg_policy where polrelid = ('cron.' || kept)::regclass) then
      execute format('create policy cron_%s_policy on cron.%I using (username = current_user)', kept, kept);
    end if;
  end loop;
end
$$;

-- The role that asks. Within the functions below, which run as their owner, current_user would be that owner.
create or replace function cron.asking_role() returns name
language sql stable as $$
  select coalesce(nullif(current_setting('role'), 'none'), session_user)::name
$$;

-- A job belongs to the role that asks; another may be named by those who could act as it.
create or replace function cron.schedule_in_database(
  job_name text,
  schedule text,
  command text,
  database text,
  username text default null,
  active boolean default true
) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  job_id bigint;
begin
  if username is not null and not pg_has_role(cron.asking_role(), username, 'member') then
    raise insufficient_privilege using message = format('must be able to act as %I', username);
  end if;
  insert into cron.job as known (jobname, schedule, command, database, username, active)
  values (
    job_name, schedule, command, coalesce(database, current_database()),
    coalesce(username, cron.asking_role()), active)
  on conflict on constraint jobname_username_uniq do update
    set schedule = excluded.schedule, command = excluded.command, database = excluded.database,
      active = excluded.active
  returning jobid into job_id;
  return job_id;
end
$$;

create or replace function cron.schedule(job_name text, schedule text, command text) returns bigint
language sql as $$
  select cron.schedule_in_database(job_name, schedule, command, null)
$$;

create or replace function cron.schedule(schedule text, command text) returns bigint
language sql as $$
  select cron.schedule_in_database(null, schedule, command, null)
$$;

create or replace function cron.unschedule(job_id bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  delete from cron.job where jobid = job_id and username = cron.asking_role();
  if not found then
    raise warning 'could not find valid entry for job %', job_id;
  end if;
  return found;
end
$$;

create or replace function cron.unschedule(job_name text) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  delete from cron.job where jobname = job_name and username = cron.asking_role();
  if not found then
    raise warning 'could not find valid entry for job ''%''', job_name;
  end if;
  return found;
end
$$;

create or replace function cron.alter_job(
  job_id bigint,
  schedule text default null,
  command text default null,
  database text default null,
  username text default null,
  active boolean default null
) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if username is not null and not pg_has_role(cron.asking_role(), username, 'member') then
    raise insufficient_privilege using message = format('must be able to act as %I', username);
  end if;
  update cron.job j
  set schedule = coalesce(alter_job.schedule, j.schedule), command = coalesce(alter_job.command, j.command),
    database = coalesce(alter_job.database, j.database), username = coalesce(alter_job.username, j.username),
    active = coalesce(alter_job.active, j.active)
  where j.jobid = job_id and j.username = cron.asking_role();
end
$$;

alter table cron.job owner to supabase_admin;
alter table cron.job_run_details owner to supabase_admin;
alter function cron.schedule_in_database owner to supabase_admin;
alter function cron.unschedule(bigint) owner to supabase_admin;
alter function cron.unschedule(text) owner to supabase_admin;
alter function cron.alter_job owner to supabase_admin;

grant usage on schema cron to postgres with grant option;
grant all on all functions in schema cron to postgres with grant option;
grant all on cron.job_run_details to postgres with grant option;
grant select on cron.job to postgres with grant option;
