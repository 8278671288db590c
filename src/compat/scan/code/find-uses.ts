import type { LocalFinding } from '../feature.ts';
import { featureOfCall } from '../features/index.ts';
import type { Chain, Segment, Source } from './chain.ts';
import { detailsOf } from './details.ts';
import type { Kind } from './kind.ts';

/** What follows from a member or a call, by `kind.name`. A call that is not here keeps its kind. */
const steps: Readonly<Record<string, Kind>> = {
  'client.client': 'client',
  'client.instance': 'client',
  'client.schema': 'client',
  'client.auth': 'auth',
  'client.gotrue': 'auth',
  'client.storage': 'storage',
  'client.realtime': 'realtime',
  'client.realtimeV2': 'realtime',
  'client.functions': 'functions',
  'client.postgrest': 'client',
  'client.rest': 'client',
  'client.from': 'table',
  'client.table': 'table',
  'client.rpc': 'query',
  'client.channel': 'channel',
  'realtime.channel': 'channel',
  'auth.admin': 'admin',
  'auth.mfa': 'mfa',
  // The first version of supabase-js.
  'auth.api': 'auth',
  'auth.oauth': 'oauth',
  'admin.mfa': 'adminMfa',
  'admin.oauth': 'adminOauth',
  'storage.from': 'bucket',
  'storage.from_': 'bucket',
};

const VERBS = new Set(['select', 'insert', 'upsert', 'update', 'delete', 'stream', 'selectAsFlow']);
const CHANNEL_CALLS = new Set(['on', 'subscribe', 'send', 'track', 'onBroadcast', 'onPostgresChanges']);

/** Declared types that tell a kind. */
const types: Readonly<Record<string, Kind>> = {
  SupabaseClient: 'client',
  TypedSupabaseClient: 'client',
  RealtimeChannel: 'channel',
  GoTrueClient: 'auth',
  SupabaseAuthClient: 'auth',
  StorageFileApi: 'bucket',
};

const MAKES_CLIENT = /^(create|get|use|make|new|init)\w*(client|supabase)\w*$|^supabase\w*client$/i;

/** Finds the uses of Supabase in a source file. */
export function findUses(source: Source): LocalFinding[] {
  const scope = scopeOf(source);
  // A variable may be used above the line that sets it, so the names are learnt before anything is reported.
  for (let round = 0; round < 3; round++) for (const chain of source.chains) learn(chain, scope);
  return source.chains.flatMap((chain) => follow(chain, scope).findings);
}

/** What the names of a file stand for. */
type Scope = {
  readonly kinds: Map<string, Kind>;
  /** Whether a function yields a client, by its name and where it is from. */
  readonly isMaker: (name: string) => boolean;
  /** Another query builder is at work here: what looks like a query may be its. */
  readonly isForeign: boolean;
};

function scopeOf({ imports, typed }: Source): Scope {
  const kinds = new Map<string, Kind>();
  for (const [name, type] of typed) {
    const kind = types[type];
    if (kind !== undefined) kinds.set(name, kind);
  }
  const ofSupabase = imports.filter(({ module }) => /supabase/i.test(module));
  const namesOf = (list: Source['imports']): Set<string> => new Set(list.flatMap(({ names }) => names));
  const others = namesOf(imports.filter((one) => !ofSupabase.includes(one)));
  // In a file with Supabase's package a function of its own that makes a client makes one of these.
  const isMaker = (name: string): boolean =>
    ofSupabase.length > 0 && MAKES_CLIENT.test(name) && !others.has(name);
  const isForeign =
    ofSupabase.length === 0 &&
    imports.some(({ module }) => /^(knex|kysely|drizzle-orm|firebase)/.test(module));
  return { kinds, isMaker, isForeign };
}

function learn(chain: Chain, scope: Scope): void {
  if (chain.assignedTo.length === 0) return;
  const { kind } = follow(chain, scope);
  if (kind === undefined) return;
  // The value of an awaited query is its answer.
  if (chain.isAwaited && kind !== 'client') return;
  for (const name of chain.assignedTo) scope.kinds.set(name, kind);
}

/** Walks along a chain: what it uses, and what it is at its end. */
function follow(
  { segments }: Chain,
  scope: Scope,
): { readonly findings: LocalFinding[]; readonly kind: Kind | undefined } {
  const findings: LocalFinding[] = [];
  let kind: Kind | undefined;
  segments.forEach((segment, index) => {
    const before = kind;
    kind = stepFrom(before, segments, index, scope);
    const owner = ownerOf(before, kind, segment, segments[index + 1]);
    if (owner === undefined) return;
    const { name, line } = segment;
    const feature = featureOfCall(`${owner}.${name}`);
    // Kotlin's `filter { ... }` holds filters and is none.
    const isBlock = feature === 'rest.filter.filter' && segment.args?.length === 0;
    if (feature !== undefined && !isBlock) findings.push({ feature, line, what: name });
    findings.push(...detailsOf(owner, segment));
  });
  return { findings, kind };
}

/** The kind after a segment. */
function stepFrom(
  before: Kind | undefined,
  segments: readonly Segment[],
  index: number,
  scope: Scope,
): Kind | undefined {
  const segment = segments[index];
  if (segment === undefined) return before;
  const { name, args } = segment;
  if (before === undefined) return start(segments, index, scope);
  if (before === 'table' && args !== undefined) return 'query';
  const known = steps[`${before}.${name}`];
  if (known !== undefined) return known;
  // A member that is no call, of something that is: data of an answer, a type, ...
  if (args === undefined && before !== 'client') return undefined;
  return before;
}

/** The kind of a name that nothing before it explains. */
function start(segments: readonly Segment[], index: number, scope: Scope): Kind | undefined {
  const segment = segments[index];
  const next = segments[index + 1];
  if (segment === undefined) return undefined;
  const { name, args } = segment;
  if (args !== undefined) {
    if (scope.isMaker(name) || (/supabase/i.test(name) && MAKES_CLIENT.test(name))) return 'client';
    return startOfCall(segment, next, index, scope);
  }
  const known = scope.kinds.get(name);
  if (known !== undefined) return known;
  if (/supabase/i.test(name)) return 'client';
  if (index === 0 || next === undefined) return undefined;
  // `db.auth.signUp()`, `locals.storage.from()`: the names alone tell.
  if (name === 'auth' && featureOfCall(`auth.${next.name}`) !== undefined && isTelling(next)) return 'auth';
  if (name === 'auth' && (next.name === 'admin' || next.name === 'mfa')) return 'auth';
  if (name === 'storage' && next.name === 'from' && next.args !== undefined) return 'storage';
  return undefined;
}

/** Names of auth that other libraries use too say nothing without a client before them. */
const isTelling = ({ name, args }: Segment): boolean =>
  args !== undefined &&
  !['update', 'user', 'session', 'signUp', 'signOut', 'getUser', 'getSession', 'verify'].includes(name);

function startOfCall(
  { name, args = [] }: Segment,
  next: Segment | undefined,
  index: number,
  scope: Scope,
): Kind | undefined {
  if (scope.isForeign || index === 0 || next?.args === undefined) return undefined;
  const hasName = args[0]?.text !== undefined;
  if (name === 'from' && VERBS.has(next.name)) return 'table';
  if (name === 'channel' && hasName && CHANNEL_CALLS.has(next.name)) return 'channel';
  return undefined;
}

/** Whose call a segment is: that of what stands before it, or of what a telling name makes of it. */
function ownerOf(
  before: Kind | undefined,
  after: Kind | undefined,
  { args }: Segment,
  next: Segment | undefined,
): Kind | undefined {
  if (before === 'table') return 'query';
  if (before !== undefined) return before;
  return args !== undefined && (after === 'channel' || after === 'table') && next !== undefined
    ? 'client'
    : undefined;
}
