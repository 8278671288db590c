import type { JsonObject } from '../store/rows.ts';

/** What an admin may say about a user; empty texts and nulls say nothing. */
export type AdminUserBody = {
  readonly id: string;
  readonly aud: string;
  readonly role: string;
  readonly email: string;
  readonly phone: string;
  readonly password: string | null;
  readonly password_hash: string;
  readonly email_confirm: boolean;
  readonly phone_confirm: boolean;
  readonly user_metadata: JsonObject | null;
  readonly app_metadata: JsonObject | null;
  readonly ban_duration: string;
};
