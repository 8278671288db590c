import { randomUUID } from 'node:crypto';
import { beforeEach } from 'vitest';
import type { TestDatabase } from './database.ts';
import { type Answer, type StorageInstance, startStorage } from './storage.ts';

/** What a policy is for. */
export type Command = 'select' | 'insert' | 'update' | 'delete' | 'all';

/** Takes all policies off the storage tables, and the objects out. */
export const resetPolicies = ({ owner }: TestDatabase): Promise<void> =>
  owner.exec(`
    do $$ declare p record; begin
      for p in select policyname, tablename from pg_policies where schemaname = 'storage' loop
        execute format('drop policy %I on storage.%I', p.policyname, p.tablename);
      end loop;
    end $$;
    set storage.allow_delete_query = 'true';
    delete from storage.objects;
  `);

/** Lets signed-in users do something with the rows of a table for which the condition holds. */
export function allowRows(
  { owner }: TestDatabase,
  name: string,
  table: 'objects' | 'buckets' | 's3_multipart_uploads' | 's3_multipart_uploads_parts',
  command: Command,
  condition: string,
): Promise<void> {
  const using = command === 'insert' ? '' : `using (${condition})`;
  const check = command === 'select' || command === 'delete' ? '' : `with check (${condition})`;
  return owner.exec(
    `create policy ${name} on storage.${table} for ${command} to authenticated ${using} ${check}`,
  );
}

/** An instance with private buckets and a public one, a user, and no policies but what each test makes. */
export type PolicyInstance = StorageInstance & {
  /** The user's id and token. */
  readonly user: { readonly id: string; readonly token: string };
  /** Gives `authenticated` policies on objects for the commands, without a condition. */
  readonly allow: (...commands: readonly Command[]) => Promise<void>;
  /** Makes one policy on objects. */
  readonly policy: (definition: string) => Promise<void>;
  /** Uploads five bytes of text, as the service role unless told otherwise. */
  readonly put: (
    path: string,
    who?: string,
    headers?: Readonly<Record<string, string>>,
    method?: string,
  ) => Promise<Answer>;
};

/** Answers of requests that policies refuse, and of those for what is not there. */
export const refusals = {
  denied: {
    statusCode: '403',
    error: 'Unauthorized',
    message: 'new row violates row-level security policy',
    code: 'AccessDenied',
  },
  noKey: { statusCode: '404', error: 'not_found', message: 'Object not found', code: 'NoSuchKey' },
} as const;

/** Starts an instance with the buckets `private`, `other` and `public`; takes all policies off before each test. */
export async function startWithPolicies(): Promise<PolicyInstance> {
  const instance = await startStorage({ env: { OWNBASE_STORAGE_DELETE_GRACE: '0' } });
  const { call, serviceKey, database } = instance;
  const id = randomUUID();
  for (const name of ['private', 'other', 'public']) {
    await call('POST', '/bucket', { token: serviceKey, body: { name, public: name === 'public' } });
  }
  beforeEach(() => resetPolicies(database));
  return {
    ...instance,
    user: { id, token: await instance.userToken(id) },
    async allow(...commands) {
      for (const command of commands) await allowRows(database, `p_${command}`, 'objects', command, 'true');
    },
    policy: (definition) => database.owner.exec(`create policy p_custom on storage.objects ${definition}`),
    put: (path, who = serviceKey, headers = {}, method = 'POST') =>
      call(method, `/object/${path}`, {
        token: who,
        body: 'bytes',
        headers: { 'content-type': 'text/plain', ...headers },
      }),
  };
}
