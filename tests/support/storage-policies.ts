import type { TestDatabase } from './database.ts';

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
