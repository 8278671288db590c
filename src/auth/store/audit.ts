import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { JsonObject, User } from './rows.ts';

/**
 * What is recorded, and under which heading.
 * Upstream: internal/models/audit_log_entry.go.
 */
const logTypes = {
  login: 'account',
  logout: 'account',
  invite_accepted: 'account',
  user_signedup: 'team',
  user_invited: 'team',
  user_deleted: 'team',
  token_revoked: 'token',
  token_refreshed: 'token',
  user_modified: 'user',
  user_recovery_requested: 'user',
  user_reauthenticate_requested: 'user',
  user_confirmation_requested: 'user',
  user_repeated_signup: 'user',
  user_updated_password: 'user',
  identity_linked: 'user',
  identity_unlinked: 'user',
  passkey_created: 'user',
  passkey_updated: 'user',
  passkey_deleted: 'user',
  factor_in_progress: 'factor',
  factor_unenrolled: 'factor',
  challenge_created: 'factor',
  verification_attempted: 'factor',
  factor_deleted: 'factor',
  factor_updated: 'factor',
} as const;

/** A recorded action. */
export type AuditAction = keyof typeof logTypes;

/** Who did it: a user, or a token of an admin role. */
export type Actor =
  | Pick<User, 'id' | 'email' | 'phone' | 'is_sso_user' | 'raw_user_meta_data'>
  | { readonly adminRole: string };

const nil = '00000000-0000-0000-0000-000000000000';

/** The JSON that a row of the log holds. */
function auditPayload(actor: Actor, action: AuditAction, traits: JsonObject | null): JsonObject {
  const common = { action, log_type: logTypes[action] };
  const extra = traits === null ? {} : { traits };
  if ('adminRole' in actor) {
    return { actor_id: nil, actor_via_sso: false, actor_username: actor.adminRole, ...common, ...extra };
  }
  const name = actor.raw_user_meta_data?.full_name;
  return {
    actor_id: actor.id,
    actor_via_sso: actor.is_sso_user,
    actor_username: actor.phone || actor.email || '',
    ...(name === undefined ? {} : { actor_name: name }),
    ...common,
    ...extra,
  };
}

/** Writes rows of the audit log inside the transaction that they report on. */
export type AuditLog = {
  record(
    tx: Transaction,
    actor: Actor,
    action: AuditAction,
    traits?: JsonObject | null,
    ip?: string,
  ): Promise<void>;
  /** Rows for a larger statement to write; none when rows are not kept. */
  rows(actor: Actor, ...actions: readonly AuditAction[]): readonly AuditRow[];
};

/** A row that is yet to be written. */
export type AuditRow = { readonly id: string; readonly payload: JsonObject };

/** Creates the log; a disabled one writes nothing. */
export function createAuditLog(options: {
  readonly isDisabled: boolean;
  readonly uuid: () => string;
  readonly now: () => string;
}): AuditLog {
  return {
    async record(tx, actor, action, traits = null, ip = '') {
      if (options.isDisabled) return;
      await tx.execute(sql`
        insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)
        values (${nil}, ${options.uuid()}, ${sql.value(auditPayload(actor, action, traits))}, ${options.now()}, ${ip})`);
    },
    rows: (actor, ...actions) =>
      options.isDisabled
        ? []
        : actions.map((action) => ({ id: options.uuid(), payload: auditPayload(actor, action, null) })),
  };
}
