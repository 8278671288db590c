import type { AdminClient } from '../../pg/connect.ts';
import type { Advice, Category, Level } from './advice.ts';
import { exposureAdvice } from './exposure.ts';
import { performanceAdvice } from './performance.ts';
import { securityAdvice } from './security.ts';

/** A finding, in the JSON of the Supabase CLI. */
export type AdvisorFinding = Omit<Advice, 'category' | 'findings' | 'keyPrefix'> & {
  readonly facing: 'EXTERNAL';
  readonly categories: readonly [Category];
  readonly detail: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The same for the same finding in every run. */
  readonly cache_key: string;
};

/** Which findings are wanted. */
export type AdvisorSelection = {
  /** Schemas that the API shows. */
  readonly exposed: readonly string[];
  readonly category: Category | null;
  readonly atLeast: Level;
};

/** Everything that is examined. */
export const allAdvice: readonly Advice[] = [...exposureAdvice, ...securityAdvice, ...performanceAdvice];

const order: readonly Level[] = ['INFO', 'WARN', 'ERROR'];

/** Whether a level is another one or above it. */
export const isAtLeast = (level: Level, limit: Level): boolean =>
  order.indexOf(level) >= order.indexOf(limit);

/** Examines the database for common faults of security and performance; reads only. Rejects with `PgFailure`. */
export async function findAdvice(
  client: AdminClient,
  { exposed, category, atLeast }: AdvisorSelection,
): Promise<readonly AdvisorFinding[]> {
  const wanted = allAdvice.filter(
    (advice) => (category === null || advice.category === category) && isAtLeast(advice.level, atLeast),
  );
  await client.exec('begin read only; set local search_path = pg_catalog');
  try {
    const found: AdvisorFinding[] = [];
    for (const advice of wanted) found.push(...(await findingsOf(client, advice, exposed)));
    return found;
  } finally {
    await client.exec('rollback');
  }
}

async function findingsOf(
  client: AdminClient,
  advice: Advice,
  exposed: readonly string[],
): Promise<readonly AdvisorFinding[]> {
  const { name, title, level, category, description, remediation, keyPrefix = name } = advice;
  type Row = {
    readonly detail: string;
    readonly metadata: Record<string, unknown>;
    readonly key: readonly string[];
  };
  const rows = await client.query<Row>(advice.findings(exposed));
  return rows.map(({ detail, metadata, key }) => ({
    name,
    title,
    level,
    facing: 'EXTERNAL',
    categories: [category],
    description,
    detail,
    remediation,
    metadata,
    cache_key: [keyPrefix, ...key].join('_'),
  }));
}
