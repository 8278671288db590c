import { findAddresses } from '../code/literals.ts';
import type { LocalFinding } from '../feature.ts';
import { featureOfExtension } from './extensions.ts';
import { lineCounter, parseScript, type SqlNode, type SqlProblem } from './statements.ts';

/** What a script of SQL uses of Supabase, and whether it could be read. */
export function findInSql(text: string): {
  readonly findings: LocalFinding[];
  readonly problem: SqlProblem | null;
} {
  const lineOf = lineCounter(text);
  const bytes = Buffer.from(text);
  const { statements, problem } = parseScript(text);
  const findings = statements.flatMap(({ tree, at }) => {
    const start = at + (/^\s*/.exec(bytes.subarray(at).toString())?.[0].length ?? 0);
    return findInStatement(tree).map(({ feature, what, offset, isInBody = false }) => {
      // A body is a string to the parser: its names are looked for where the statement stands.
      const found = isInBody ? bytes.indexOf(what, start) : -1;
      return { feature, what, line: lineOf(offset ?? (found < 0 ? start : found)) };
    });
  });
  return { findings, problem };
}

/** A use, at an offset of the script or somewhere in a body of the statement; else it is the statement's. */
type Use = {
  readonly feature: string;
  readonly what: string;
  readonly offset?: number | undefined;
  readonly isInBody?: boolean;
};

function findInStatement(tree: SqlNode): Use[] {
  const uses: Use[] = [];
  walk(tree, (type, node) => uses.push(...(finders[type]?.(node) ?? [])));
  return uses;
}

/** Calls back for every node with the name of its type. */
function walk(value: unknown, visit: (type: string, node: SqlNode) => void, owner = ''): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit, owner);
  if (!isNode(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    const type = RELATIONS.has(key) ? 'RangeVar' : key;
    // What a policy or a trigger is on, its own finder tells.
    if (type === 'RangeVar' && (owner === 'CreatePolicyStmt' || owner === 'CreateTrigStmt') && key !== type)
      continue;
    const isTyped = isNode(inner) && /^[A-Z]/.test(type);
    if (isTyped) visit(type, inner);
    walk(inner, visit, isTyped ? type : owner);
  }
}

/** Keys under which a relation stands without the name of its type. */
const RELATIONS: ReadonlySet<string> = new Set(['table', 'relation', 'pktable']);

const isNode = (value: unknown): value is SqlNode =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const offsetOf = (node: SqlNode): number | undefined => {
  const location = node.location;
  return typeof location === 'number' && location >= 0 ? location : undefined;
};

/** `a.b` of a list of String nodes. */
const nameOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).map((item) =>
    isNode(item) && isNode(item.String) ? text(item.String.sval) : '',
  );

const relationOf = (node: SqlNode): { schema: string; name: string } => {
  const table = node.table ?? node.relation;
  return isNode(table)
    ? { schema: text(table.schemaname), name: text(table.relname) }
    : { schema: '', name: '' };
};

/** What each type of node means; a node that is not here means nothing by itself. */
const finders: Readonly<Record<string, (node: SqlNode) => readonly Use[]>> = {
  CreateExtensionStmt: (node) => {
    const name = text(node.extname);
    return [{ feature: featureOfExtension(name), what: name }];
  },
  CreateRoleStmt: (node) => [{ feature: 'sql.roles', what: `create role ${text(node.role)}` }],
  AlterRoleStmt: () => [{ feature: 'sql.roles', what: 'alter role' }],
  GrantRoleStmt: () => [{ feature: 'sql.roles', what: 'grant of a role' }],
  AlterRoleSetStmt: () => [{ feature: 'sql.setting', what: 'alter role set' }],
  AlterDatabaseSetStmt: () => [{ feature: 'sql.setting', what: 'alter database set' }],
  CreateSchemaStmt: (node) => [{ feature: 'sql.schema', what: text(node.schemaname) }],
  CreatePolicyStmt: policy,
  AlterTableCmd: (node) =>
    node.subtype === 'AT_EnableRowSecurity'
      ? [{ feature: 'sql.rls', what: 'enable row level security' }]
      : [],
  CreateTrigStmt: trigger,
  CreateEventTrigStmt: (node) => [{ feature: 'sql.event-trigger', what: text(node.trigname) }],
  CreatePublicationStmt: (node) => publication(text(node.pubname)),
  AlterPublicationStmt: (node) => publication(text(node.pubname)),
  CreateForeignServerStmt: (node) => [{ feature: 'sql.foreign-data', what: text(node.servername) }],
  CreateFdwStmt: (node) => [{ feature: 'sql.foreign-data', what: text(node.fdwname) }],
  FuncCall: (node) => reference(nameOf(node.funcname), offsetOf(node), true),
  RangeVar: (node) => reference([text(node.schemaname), text(node.relname)], offsetOf(node), false),
  CreateFunctionStmt: routine,
  DoStmt: (node) => inBody(stringsIn(node.args).join('\n')),
};

function policy(node: SqlNode): Use[] {
  const { schema } = relationOf(node);
  const what = text(node.policy_name);
  if (schema === 'storage' || schema === 'realtime' || schema === 'auth')
    return [{ feature: `sql.policy.${schema}`, what }];
  return [{ feature: 'sql.policy', what }];
}

function trigger(node: SqlNode): Use[] {
  const { schema, name } = relationOf(node);
  const what = text(node.trigname);
  const [owner = '', routineName = ''] = nameOf(node.funcname);
  const isWebhook = owner === 'supabase_functions' || routineName === 'http_request';
  return [
    ...(isWebhook ? [{ feature: 'sql.webhook', what }] : []),
    ...(schema === 'auth' && name === 'users' ? [{ feature: 'sql.trigger.auth-users', what }] : []),
    ...(schema === 'storage' ? [{ feature: 'sql.trigger.storage', what }] : []),
  ];
}

const publication = (name: string): Use[] =>
  name === 'supabase_realtime' ? [{ feature: 'sql.publication', what: name }] : [];

/** Languages whose functions run on the embedded Postgres. */
const LANGUAGES: ReadonlySet<string> = new Set(['sql', 'plpgsql', 'c', 'internal']);

function routine(node: SqlNode): Use[] {
  const options = (Array.isArray(node.options) ? node.options : []).flatMap((item) =>
    isNode(item) && isNode(item.DefElem) ? [item.DefElem] : [],
  );
  const [schema, routineName = ''] = nameOf(node.funcname);
  const isOwnOfAuth = schema === 'auth' && !AUTH_FUNCTIONS.has(routineName);
  const option = (name: string): unknown => options.find((one) => one.defname === name)?.arg;
  const language = stringsIn(option('language')).join('').toLowerCase() || 'sql';
  return [
    ...(isOwnOfAuth ? [{ feature: 'sql.auth-own', what: `auth.${routineName}` }] : []),
    ...(LANGUAGES.has(language) ? [] : [{ feature: 'sql.language', what: language }]),
    ...inBody(stringsIn(option('as')).join('\n')),
  ];
}

/** The strings of a part of the tree, in order. */
function stringsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  if (!isNode(value)) return [];
  const own = value.sval;
  return typeof own === 'string' ? [own] : Object.values(value).flatMap(stringsIn);
}

/** What names of Supabase's schemas mean. */
const schemas: Readonly<Record<string, { readonly calls?: string; readonly tables?: string }>> = {
  auth: { calls: 'sql.auth-functions', tables: 'sql.auth-tables' },
  storage: { calls: 'sql.storage-functions', tables: 'sql.storage-tables' },
  realtime: { calls: 'sql.realtime-functions', tables: 'sql.realtime-functions' },
  cron: { calls: 'sql.cron', tables: 'sql.cron' },
  net: { calls: 'sql.net', tables: 'sql.net' },
  vault: { calls: 'sql.vault', tables: 'sql.vault' },
  pgmq: { calls: 'sql.pgmq', tables: 'sql.pgmq' },
  pgmq_public: { calls: 'sql.pgmq' },
  graphql: { calls: 'sql.graphql' },
  supabase_functions: { calls: 'sql.webhook', tables: 'sql.webhook' },
};

/** What the platform itself has in the schema auth for everybody to call. */
const AUTH_FUNCTIONS: ReadonlySet<string> = new Set(['uid', 'role', 'email', 'jwt']);

const HTTP = /^http(_get|_post|_put|_patch|_delete|_head)?$/;

function reference(name: readonly string[], offset: number | undefined, isCall: boolean): Use[] {
  const [schema = '', object = ''] = name.length > 1 ? name.slice(-2) : ['', name[0] ?? ''];
  if (isCall && HTTP.test(object) && (schema === '' || schema === 'extensions' || schema === 'http')) {
    return [{ feature: 'sql.net', what: object, offset }];
  }
  if (isCall && schema === 'auth' && !AUTH_FUNCTIONS.has(object)) {
    return [{ feature: 'sql.auth-own', what: `auth.${object}`, offset }];
  }
  const feature = schemas[schema]?.[isCall ? 'calls' : 'tables'];
  return feature === undefined ? [] : [{ feature, what: `${schema}.${object}`, offset }];
}

const QUALIFIED =
  /\b(auth|storage|realtime|cron|net|vault|pgmq|graphql|supabase_functions|extensions)\.(\w+)\s*(\()?/g;

/** A function's body in whatever language: its qualified names and addresses of services, each once. */
function inBody(body: string): Use[] {
  const code = body.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ');
  const uses = [...code.matchAll(QUALIFIED)].flatMap(([, schema = '', name = '', bracket]) =>
    reference(
      [schema, name],
      undefined,
      bracket !== undefined && !(schema === 'auth' && name === 'users'),
    ).map((use) => ({ ...use, what: `${schema}.${name}`, isInBody: true })),
  );
  for (const { feature, what } of findAddresses([{ text: code, line: 0 }])) {
    uses.push({ feature, what, isInBody: true });
  }
  return uses.filter(({ what }, index) => uses.findIndex((other) => other.what === what) === index);
}
