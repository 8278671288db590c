import type { ApiRequest } from '../parse/api-request.ts';
import { appliedPreferences, type Preferences } from '../parse/preferences.ts';
import type { RowsPlan } from '../plan/model.ts';

/**
 * The `Preference-Applied` header: of the preferences that were given, those that mean something to this request.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Response.hs (responsePreferences).
 */
export function preferenceApplied(plan: RowsPlan, { preferences, query }: ApiRequest): string | null {
  const mutation = plan.kind === 'mutate' ? plan.mutation : null;
  const hasTarget =
    plan.kind === 'mutate' &&
    plan.mutate.kind === 'insert' &&
    (plan.mutate.keyColumns.length > 0 || query.onConflict !== null);
  const applied: Preferences = {
    ...preferences,
    resolution: mutation === 'insert' && hasTarget ? preferences.resolution : null,
    representation: mutation === null ? null : preferences.representation,
    missing: mutation === 'insert' || mutation === 'update' ? preferences.missing : null,
    maxAffected:
      mutation === 'update' || mutation === 'delete' || plan.kind === 'call' ? preferences.maxAffected : null,
  };
  return appliedPreferences(applied);
}
