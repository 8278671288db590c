import type { SomeOption } from '../../config/option.ts';
import { sections } from '../../config/sections.ts';

/** Tables that only work once somebody fills them in: written as comments. */
const OPT_IN = new Set([
  'api.tls',
  'auth.captcha',
  'auth.email.smtp',
  'auth.passkey',
  'auth.sessions',
  'auth.webauthn',
  'storage.image_transformation',
]);

/** Examples of tables whose names the owner chooses, by the path of their option. */
const samples: Readonly<Record<string, string>> = {
  'db.settings': '[db.settings]\nwork_mem = "16MB"',
  'db.vault': '[db.vault]\nmy_secret = "env(MY_SECRET)"',
  'auth.email.template':
    '[auth.email.template.invite]\nsubject = "You are invited"\ncontent_path = "./supabase/templates/invite.html"',
  'auth.email.notification': '[auth.email.notification.password_changed]\nenabled = true',
  'auth.sms.test_otp': '[auth.sms.test_otp]\n4152127777 = "123456"',
  'auth.sms.twilio':
    '[auth.sms.twilio]\nenabled = true\naccount_sid = ""\nmessage_service_sid = ""\nauth_token = "env(TWILIO_AUTH_TOKEN)"',
  'auth.sms.twilio_verify':
    '[auth.sms.twilio_verify]\nenabled = true\naccount_sid = ""\nmessage_service_sid = ""\nauth_token = "env(TWILIO_AUTH_TOKEN)"',
  'auth.sms.messagebird':
    '[auth.sms.messagebird]\nenabled = true\noriginator = ""\naccess_key = "env(MESSAGEBIRD_KEY)"',
  'auth.sms.textlocal': '[auth.sms.textlocal]\nenabled = true\nsender = ""\napi_key = "env(TEXTLOCAL_KEY)"',
  'auth.sms.vonage':
    '[auth.sms.vonage]\nenabled = true\nfrom = ""\napi_key = ""\napi_secret = "env(VONAGE_SECRET)"',
  'auth.external': '[auth.external.github]\nenabled = true\nclient_id = ""\nsecret = "env(GITHUB_SECRET)"',
  'auth.hook':
    '[auth.hook.custom_access_token]\nenabled = true\nuri = "pg-functions://postgres/public/custom_access_token"',
  'auth.third_party': '[auth.third_party.firebase]\nenabled = true\nproject_id = ""',
  'storage.buckets':
    '[storage.buckets.images]\npublic = false\nfile_size_limit = "10MiB"\nallowed_mime_types = ["image/png", "image/jpeg"]\nobjects_path = "./images"',
};

/** Keys of tables that ownbase reads too, which only the Supabase CLI minds. */
const cliKeys: Readonly<Record<string, string>> = {
  db: 'shadow_port = 54320\nmajor_version = 17\nhealth_timeout = "2m"',
};

/** Tables that only the Supabase CLI reads. */
const cliTables = `[db.pooler]
enabled = false
port = 54329
pool_mode = "transaction"
default_pool_size = 20
max_client_conn = 100

[studio]
enabled = true
port = 54323
api_url = "http://127.0.0.1"

[edge_runtime]
enabled = true
policy = "per_worker"
inspector_port = 8083

[analytics]
enabled = true
port = 54327
backend = "postgres"
`;

const FOR_THE_CLI = '# Read by the Supabase CLI alone: accepted here, and without effect.';

/**
 * Text of a new `supabase/config.toml`: every key of the option tables with its description and its default, and
 * the keys of the Supabase CLI. What has no default is a comment.
 */
export function configToml(projectId: string): string {
  const head = [
    '# Configuration of ownbase and of the Supabase CLI. "ownbase config" prints what is in effect, and why.',
    '# Text of the form env(NAME) is taken from the environment.',
    '',
    '# Tells projects on one machine apart.',
    `project_id = ${JSON.stringify(projectId)}`,
  ].join('\n');
  const tables = [...keysByTable()].map(([table, keys]) => tableText(table, keys));
  const examples = tableOptions().map(({ toml, description }) =>
    comment(`${description}\n${samples[toml] ?? `[${toml}]`}`),
  );
  return [head, ...tables, ...examples, FOR_THE_CLI, cliTables].join('\n\n');
}

type TomlOption = SomeOption & { readonly toml: string };

const tomlOptions: readonly TomlOption[] = Object.values(sections)
  .flatMap((section): SomeOption[] => Object.values(section))
  .filter((option): option is TomlOption => option.toml !== undefined);

const tableOptions = (): readonly TomlOption[] => tomlOptions.filter(({ kind }) => kind.name === 'table');

function keysByTable(): Map<string, TomlOption[]> {
  const tables = new Map<string, TomlOption[]>();
  for (const option of tomlOptions) {
    if (option.kind.name === 'table') continue;
    const table = option.toml.slice(0, option.toml.lastIndexOf('.'));
    tables.set(table, [...(tables.get(table) ?? []), option]);
  }
  return tables;
}

function tableText(table: string, options: readonly TomlOption[]): string {
  const lines = options.map((option) => {
    const key = option.toml.slice(option.toml.lastIndexOf('.') + 1);
    const value = tomlValue(option);
    return `${comment(option.description)}\n${value === null ? `# ${key} = ${option.kind.name === 'boolean' ? 'false' : '""'}` : `${key} = ${value}`}`;
  });
  const extra = cliKeys[table];
  const all = extra === undefined ? lines : [...lines, `${FOR_THE_CLI}\n${extra}`];
  const text = `[${table}]\n${all.join('\n')}`;
  return OPT_IN.has(table) ? comment(text) : text;
}

/** A default as TOML; null where there is none. */
function tomlValue({ default: value, kind }: TomlOption): string | null {
  if (value === null || kind.name === 'secret') return null;
  if (kind.name === 'password requirements') return '""';
  const printed = kind.print(value);
  return kind.name === 'duration' || kind.name === 'bytes' ? JSON.stringify(printed) : printed;
}

const comment = (text: string): string => text.replaceAll(/^(?!#)/gm, '# ').replaceAll(/^# $/gm, '#');
