/** A JSON object column. */
export type JsonObject = { readonly [key: string]: unknown };

/** A timestamp as the server printed it; see `timestamp.ts`. */
export type Timestamp = string;

/** A row of `auth.identities`. */
export type Identity = {
  readonly id: string;
  readonly provider_id: string;
  readonly user_id: string;
  readonly identity_data: JsonObject | null;
  readonly provider: string;
  readonly last_sign_in_at: Timestamp | null;
  readonly created_at: Timestamp | null;
  readonly updated_at: Timestamp | null;
  readonly email: string | null;
};

/** Kinds of second factors. */
export type FactorType = 'totp' | 'phone' | 'webauthn';

/** A row of `auth.mfa_factors`. */
export type Factor = {
  readonly id: string;
  readonly user_id: string;
  readonly friendly_name: string | null;
  readonly factor_type: FactorType;
  readonly status: 'unverified' | 'verified';
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp;
  readonly secret: string | null;
  readonly phone: string | null;
  readonly last_challenged_at: Timestamp | null;
  readonly web_authn_credential: JsonObject | null;
  readonly web_authn_aaguid: string | null;
  readonly last_webauthn_challenge_data: JsonObject | null;
};

/** Columns of `auth.users` that the service reads; rows that others wrote may hold nulls anywhere. */
export type UserColumns = {
  readonly id: string;
  readonly aud: string | null;
  readonly role: string | null;
  readonly email: string | null;
  readonly encrypted_password: string | null;
  readonly email_confirmed_at: Timestamp | null;
  readonly invited_at: Timestamp | null;
  readonly confirmation_token: string | null;
  readonly confirmation_sent_at: Timestamp | null;
  readonly recovery_token: string | null;
  readonly recovery_sent_at: Timestamp | null;
  readonly email_change_token_new: string | null;
  readonly email_change: string | null;
  readonly email_change_sent_at: Timestamp | null;
  readonly email_change_token_current: string | null;
  readonly email_change_confirm_status: number | null;
  readonly last_sign_in_at: Timestamp | null;
  readonly raw_app_meta_data: JsonObject | null;
  readonly raw_user_meta_data: JsonObject | null;
  readonly created_at: Timestamp | null;
  readonly updated_at: Timestamp | null;
  readonly phone: string | null;
  readonly phone_confirmed_at: Timestamp | null;
  readonly phone_change: string | null;
  readonly phone_change_token: string | null;
  readonly phone_change_sent_at: Timestamp | null;
  readonly confirmed_at: Timestamp | null;
  readonly banned_until: Timestamp | null;
  readonly reauthentication_token: string | null;
  readonly reauthentication_sent_at: Timestamp | null;
  readonly is_sso_user: boolean;
  readonly deleted_at: Timestamp | null;
  readonly is_anonymous: boolean;
};

/** A user with what belongs to it. */
export type User = UserColumns & {
  readonly identities: readonly Identity[];
  readonly factors: readonly Factor[];
};

/** One method that a session was authenticated with. */
export type AmrClaim = { readonly method: string; readonly updated_at: Timestamp };

/** A row of `auth.sessions` with its authentication methods. */
export type Session = {
  readonly id: string;
  readonly user_id: string;
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp | null;
  readonly factor_id: string | null;
  readonly aal: 'aal1' | 'aal2' | 'aal3' | null;
  readonly not_after: Timestamp | null;
  readonly refreshed_at: Timestamp | null;
  readonly user_agent: string | null;
  readonly ip: string | null;
  readonly tag: string | null;
  readonly oauth_client_id: string | null;
  readonly scopes: string | null;
  readonly refresh_token_hmac_key: string | null;
  readonly refresh_token_counter: string | number | null;
  readonly amr: readonly AmrClaim[];
};

/** A row of `auth.refresh_tokens`. */
export type RefreshToken = {
  readonly id: string;
  readonly token: string;
  readonly user_id: string;
  readonly revoked: boolean | null;
  readonly created_at: Timestamp | null;
  readonly updated_at: Timestamp | null;
  readonly parent: string | null;
  readonly session_id: string | null;
};
