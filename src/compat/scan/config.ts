import { parse } from 'smol-toml';
import { sections, tolerated } from '../../config/sections.ts';
import { unknownPaths } from '../../config/sources/toml.ts';
import type { LocalFinding } from './feature.ts';

type Table = Readonly<Record<string, unknown>>;

/** What a `config.toml` turns on that an owner should know of. Throws `TomlError`. */
export function findInConfig(text: string): LocalFinding[] {
  const table = parse(text) as Table;
  const found = (feature: string, path: string): LocalFinding => ({
    feature,
    what: path,
    line: lineOfPath(text, path),
  });
  return [
    ...providers(table).map(({ path, isKnown }) =>
      found(isKnown ? 'config.provider' : 'config.provider.unknown', path),
    ),
    ...switches.filter(({ path }) => isOn(at(table, path))).map(({ path, feature }) => found(feature, path)),
    ...enabledBelow(table, 'auth.hook').map((path) => found('config.hook', path)),
    ...enabledBelow(table, 'auth.sms').map((path) => found('config.sms', path)),
    ...enabledBelow(table, 'auth.third_party').map((path) => found('config.third-party', path)),
    ...Object.keys(tableAt(table, 'functions')).map((name) => found('functions.source', `functions.${name}`)),
    ...(Object.keys(tableAt(table, 'storage.buckets')).length > 0
      ? [found('config.buckets', 'storage.buckets')]
      : []),
    ...(nonEmptyList(at(table, 'db.migrations.schema_paths'))
      ? [found('config.schema-paths', 'db.migrations.schema_paths')]
      : []),
    ...unknownKeys(table).map((path) => found('config.unknown', path)),
  ];
}

/** Sections that say nothing unless they are on. */
const switches: readonly { readonly path: string; readonly feature: string }[] = [
  { path: 'auth.email.smtp', feature: 'config.smtp' },
  { path: 'auth.captcha', feature: 'config.captcha' },
  { path: 'auth.saml', feature: 'config.saml' },
  { path: 'auth.oauth_server', feature: 'config.oauth-server' },
  { path: 'storage.image_transformation', feature: 'config.image-transformation' },
  { path: 'storage.vector', feature: 'config.storage-vector' },
  { path: 'storage.analytics', feature: 'config.storage-analytics' },
  { path: 'db.pooler', feature: 'config.pooler' },
];

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isOn = (value: unknown): boolean => isTable(value) && value.enabled === true;
const nonEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

const at = (table: Table, path: string): unknown =>
  path.split('.').reduce<unknown>((here, key) => (isTable(here) ? here[key] : undefined), table);

const tableAt = (table: Table, path: string): Table => {
  const value = at(table, path);
  return isTable(value) ? value : {};
};

const enabledBelow = (table: Table, path: string): string[] =>
  Object.entries(tableAt(table, path)).flatMap(([name, value]) => (isOn(value) ? [`${path}.${name}`] : []));

const knownPaths: ReadonlySet<string> = new Set([
  ...Object.values(sections)
    .flatMap((section) => Object.values(section as Readonly<Record<string, { readonly toml?: string }>>))
    .flatMap(({ toml }) => (toml === undefined ? [] : [toml])),
  ...tolerated,
]);

const unknownKeys = (table: Table): string[] => unknownPaths(table, knownPaths);

/** Sign-in providers that the auth service knows. */
export const knownProviders: ReadonlySet<string> = new Set([
  'apple',
  'azure',
  'bitbucket',
  'discord',
  'facebook',
  'figma',
  'fly',
  'github',
  'gitlab',
  'google',
  'kakao',
  'keycloak',
  'linkedin',
  'linkedin_oidc',
  'notion',
  'slack',
  'slack_oidc',
  'snapchat',
  'spotify',
  'twitch',
  'vercel_marketplace',
  'workos',
  'x',
  'zoom',
]);

const providers = (table: Table): { readonly path: string; readonly isKnown: boolean }[] =>
  enabledBelow(table, 'auth.external').map((path) => ({
    path,
    isKnown: knownProviders.has(path.split('.')[2] ?? ''),
  }));

/** The line of a table's header, or of a key below its table's header; the first line when it is written otherwise. */
function lineOfPath(text: string, path: string): number {
  const lines = text.split('\n').map((line) => line.trim());
  const header = lines.findIndex((line) => line.replaceAll(/["'\s]/g, '').startsWith(`[${path}]`));
  if (header >= 0) return header + 1;
  const parts = path.split('.');
  const key = parts.at(-1) ?? '';
  const table = parts.length > 1 ? lines.indexOf(`[${parts.slice(0, -1).join('.')}]`) : -1;
  const line = lines.findIndex((content, index) => index > table && content.split('=')[0]?.trim() === key);
  return Math.max(line, table, 0) + 1;
}
