-- Secrets for SQL, where the server does not have supabase_vault: encrypted with the instance's key, readable
-- through a view by those who may see secrets, in clear text nowhere on disk.

insert into ownbase.instance (key, value)
select 'vault_key', encode(extensions.gen_random_bytes(32), 'hex')
on conflict do nothing;

create or replace function vault.encrypt_secret() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- An update that leaves the secret alone must not encrypt it twice.
  if tg_op = 'INSERT' or new.secret is distinct from old.secret then
    new.secret := encode(
      extensions.pgp_sym_encrypt(new.secret, (select value from ownbase.instance where key = 'vault_key'),
        'cipher-algo=aes256, s2k-mode=1'),
      'base64');
  end if;
  if tg_op = 'UPDATE' then
    new.updated_at := current_timestamp;
  end if;
  return new;
end
$$;

create or replace function vault.decrypt_secret(secret text) returns text
language plpgsql stable security definer set search_path = '' as $$
begin
  return extensions.pgp_sym_decrypt(
    decode(secret, 'base64'), (select value from ownbase.instance where key = 'vault_key'));
end
$$;

create table if not exists vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea,
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
create unique index if not exists secrets_name_idx on vault.secrets (name) where name is not null;
comment on table vault.secrets is 'Table with encrypted `secret` column for storing sensitive information on disk.';
create or replace trigger encrypt_secret before insert or update on vault.secrets
  for each row execute function vault.encrypt_secret();

create or replace view vault.decrypted_secrets as
select s.id, s.name, s.description, s.secret, vault.decrypt_secret(s.secret) as decrypted_secret, s.key_id, s.nonce,
  s.created_at, s.updated_at
from vault.secrets s;

create or replace function vault.create_secret(
  new_secret text,
  new_name text default null,
  new_description text default '',
  new_key_id uuid default null
) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  secret_id uuid;
begin
  insert into vault.secrets (secret, name, description, key_id)
  values (new_secret, new_name, coalesce(new_description, ''), new_key_id)
  returning id into secret_id;
  return secret_id;
end
$$;

create or replace function vault.update_secret(
  secret_id uuid,
  new_secret text default null,
  new_name text default null,
  new_description text default null,
  new_key_id uuid default null
) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update vault.secrets s
  set secret = coalesce(new_secret, s.secret), name = coalesce(new_name, s.name),
    description = coalesce(new_description, s.description), key_id = coalesce(new_key_id, s.key_id)
  where s.id = secret_id;
end
$$;

alter table vault.secrets owner to supabase_admin;
alter view vault.decrypted_secrets owner to supabase_admin;
alter function vault.encrypt_secret owner to supabase_admin;
alter function vault.decrypt_secret owner to supabase_admin;
alter function vault.create_secret owner to supabase_admin;
alter function vault.update_secret owner to supabase_admin;

revoke all on function vault.encrypt_secret, vault.decrypt_secret, vault.create_secret, vault.update_secret from public;
grant execute on function vault.decrypt_secret, vault.create_secret, vault.update_secret to postgres, service_role;
grant select, insert, update, delete, references, truncate on vault.secrets, vault.decrypted_secrets
  to postgres with grant option;
grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
