import { describe, expect, it } from 'vitest';
import { scriptsOf } from '../../../../src/compat/scan/code/component.ts';
import { findUses } from '../../../../src/compat/scan/code/find-uses.ts';
import { readJavaScript } from '../../../../src/compat/scan/code/javascript.ts';
import { findAddresses } from '../../../../src/compat/scan/code/literals.ts';
import { readByTokens } from '../../../../src/compat/scan/code/other-languages.ts';

const uses = (text: string, file = 'a.tsx'): string[] =>
  findUses(readJavaScript(text, file)).map(({ feature, line }) => `${line} ${feature}`);
const usesIn = (text: string, comments: 'slashes' | 'hash' = 'slashes'): string[] => [
  ...new Set(findUses(readByTokens(text, comments)).map(({ feature, line }) => `${line} ${feature}`)),
];

describe('a scan of TypeScript', () => {
  it('finds each call of a query where it stands', () => {
    expect(
      uses(`const { data } = await supabase
        .from('films')
        .select('*, directors!inner(name), total:amount.sum(), meta->>lang', { count: 'exact', head: true })
        .eq('directors.country', 'FR')
        .order('year', { referencedTable: 'directors' })
        .maybeSingle()`),
    ).toEqual([
      '3 rest.select',
      '3 rest.embed',
      '3 rest.embed.inner',
      '3 rest.json-path',
      '3 rest.alias',
      '3 rest.aggregate',
      '3 rest.count',
      '3 rest.head',
      '4 rest.filter.eq',
      '4 rest.embed.filter',
      '5 rest.order',
      '5 rest.order.referenced',
      '6 rest.maybe-single',
    ]);
  });

  it('follows clients, queries, buckets and channels through variables', () => {
    expect(
      uses(`import { createBrowserClient } from '@supabase/ssr';
      const db = createBrowserClient(url, key);
      let query = db.from('a').select();
      if (x) query = query.gt('n', 1);
      const bucket = db.storage.from('avatars');
      bucket.upload('a', file);
      class Room { channel = db.channel('room', { config: { private: true } });
        join() { this.channel.on('presence', { event: 'sync' }, f).subscribe(); } }
      const { auth } = db;
      auth.mfa.enroll({ factorType: 'phone' });`),
    ).toEqual([
      '3 rest.select',
      '4 rest.filter.gt',
      '6 storage.upload',
      '7 realtime.channel',
      '7 realtime.private',
      '8 realtime.presence',
      '8 realtime.channel',
      '10 auth.mfa',
      '10 auth.mfa.phone',
    ]);
  });

  it('knows a client by its declared type, and by the module that makes it', () => {
    expect(uses('function f(c: SupabaseClient<Database>) { return c.rpc("go") }', 'a.ts')).toEqual([
      '1 rest.rpc',
    ]);
    expect(
      uses(
        'import { createClient } from "@/lib/supabase/server"; const c = await createClient(); c.auth.getUser()',
      ),
    ).toEqual(['1 auth.user']);
  });

  it('takes nothing of other libraries', () => {
    expect(
      uses(`Array.from(x).filter(f); Buffer.from('a'); items.delete(id); map.select('x'); db.select().from(films).limit(1);
        better.auth.signUp({}); trpc.rpc('x'); list.filter((a) => a.eq('b')); events.on('broadcast', f)`),
    ).toEqual([]);
    expect(uses("import knex from 'knex'; k.from('films').select('id').limit(1)")).toEqual([]);
  });

  it('does not take the answer of a query for the query', () => {
    expect(uses("const rows = await supabase.from('a').select(); rows.filter(f); rows.data.order()")).toEqual(
      ['1 rest.select'],
    );
  });

  it('knows a client by the function of the file that makes it', () => {
    const made = `function createSPAClient() {} const client = createSPAClient(); client.auth.getSession()`;
    expect(uses(`import { createBrowserClient } from '@supabase/ssr'; ${made}`)).toEqual(['1 auth.session']);
    expect(uses(`import { createSPAClient } from './graphql'; import '@supabase/ssr'; ${made}`)).toEqual([]);
    expect(uses(made)).toEqual([]);
  });

  it('reads signIn of the first clients by what it is given', () => {
    expect(
      uses(
        `supabase.auth.signIn({ email, password }); supabase.auth.signIn({ email }); supabase.auth.signIn({ provider: 'github' });
         supabase.auth.api.resetPasswordForEmail(email)`,
      ),
    ).toEqual([
      '1 auth.sign-in.password',
      '1 auth.sign-in.otp',
      '1 auth.sign-in.oauth',
      '1 auth.provider',
      '2 auth.recover',
    ]);
  });

  it('names providers and telephones', () => {
    expect(
      uses(
        `supabase.auth.signInWithOAuth({ provider: 'github' }); supabase.auth.signInWithOtp({ phone })`,
      ).map((one) => one.slice(2)),
    ).toEqual(['auth.sign-in.oauth', 'auth.provider', 'auth.sign-in.otp', 'auth.sign-in.phone']);
  });

  it('finds addresses of the services in strings', () => {
    const text = ['fetch(`', '{url}/functions/v1/hello`); fetch(base + "/rest/v1/films")'].join('$');
    const { literals } = readJavaScript(text, 'a.js');
    expect(findAddresses(literals).map(({ feature }) => feature)).toEqual(['functions.invoke', 'rest.http']);
  });

  it('keeps the lines of scripts in components', () => {
    const [script = ''] = scriptsOf(
      '<template>\n<p/>\n</template>\n<script setup lang="ts">\nsupabase.rpc("a")\n</script>',
    );
    expect(uses(script)).toEqual(['5 rest.rpc']);
  });
});

describe('a scan of other languages', () => {
  it('reads Dart', () => {
    expect(
      usesIn(`import 'package:supabase_flutter/supabase_flutter.dart';
        final supabase = Supabase.instance.client;
        // supabase.from('no').select();
        final rows = await supabase.from('films').select('id, directors(name)').inFilter('id', [1, 2]);
        final stream = supabase.from('films').stream(primaryKey: ['id']).order('id');
        supabase.auth.onAuthStateChange.listen((data) {});
        await supabase.auth.signInWithOAuth(OAuthProvider.github);
        await supabase.storage.from('avatars').uploadBinary(path, bytes);
        supabase.channel('room').onPresenceSync((_) {}).subscribe();`),
    ).toEqual([
      '4 rest.select',
      '4 rest.embed',
      '4 rest.filter.in',
      '5 realtime.changes',
      '5 rest.order',
      '6 auth.events',
      '7 auth.sign-in.oauth',
      '7 auth.provider',
      '8 storage.upload',
      '9 realtime.channel',
      '9 realtime.presence',
    ]);
  });

  it('reads Swift', () => {
    expect(
      usesIn(`import Supabase
        let rows: [Film] = try await supabase.from("films").select().eq("id", value: 1).execute().value
        try await supabase.auth.signInWithOTP(phone: "+1")
        let bucket = supabase.storage.from("avatars")
        try await bucket.createSignedURL(path: "a", expiresIn: 60)`),
    ).toEqual([
      '2 rest.select',
      '2 rest.filter.eq',
      '3 auth.sign-in.otp',
      '3 auth.sign-in.phone',
      '5 storage.signed-url',
    ]);
  });

  it('reads Kotlin, blocks included', () => {
    expect(
      usesIn(`import io.github.jan.supabase.createSupabaseClient
        val films = supabase.from("films").select {
            filter { eq("id", 1) }
            limit(3)
        }.decodeList<Film>()
        supabase.storage.from("avatars").upload("a", bytes) { upsert = true }`),
    ).toEqual(['2 rest.select', '3 rest.filter.eq', '4 rest.limit', '6 storage.upload']);
  });

  it('reads Python', () => {
    expect(
      usesIn(
        `from supabase import create_client, Client
supabase: Client = create_client(url, key)
# supabase.table("no").select("*")
rows = supabase.table("films").select("*").in_("id", [1]).maybe_single().execute()
supabase.auth.sign_in_with_oauth({"provider": "github"})
supabase.storage.from_("avatars").get_public_url("a")`,
        'hash',
      ),
    ).toEqual([
      '4 rest.select',
      '4 rest.filter.in',
      '4 rest.maybe-single',
      '5 auth.sign-in.oauth',
      '5 auth.provider',
      '6 storage.public-url',
    ]);
  });
});
