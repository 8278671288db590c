/** What happened to a connection, a join or a channel, in upstream's words. Upstream: supabase/realtime ERROR_CODES.md. */
export const refusals = {
  'api-key-missing': { code: 'InvalidJWTToken', text: 'API key is missing' },
  'missing-claims': { code: 'InvalidJWTToken', text: 'Fields `role` and `exp` are required in JWT' },
  'malformed-token': { code: 'MalformedJWT', text: 'The token provided is not a valid JWT' },
  'bad-signature': { code: 'JwtSignatureError', text: 'Failed to validate JWT signature' },
  'no-signer': {
    code: 'JwtSignerError',
    text: 'Failed to generate JWT signer, check your JWT secret or JWKS configuration',
  },
  'topic-required': { code: 'TopicNameRequired', text: 'You must provide a topic name' },
  'private-only': { code: 'PrivateOnly', text: 'This project only allows private channels' },
  'too-many-channels': { code: 'ChannelRateLimitReached', text: 'Too many channels' },
  'too-many-users': { code: 'ConnectionRateLimitReached', text: 'Too many connected users' },
  'too-many-joins': { code: 'ClientJoinRateLimitReached', text: 'Too many joins per second' },
  'pool-exhausted': { code: 'IncreaseConnectionPool', text: 'Please increase your connection pool size' },
  'database-unavailable': {
    code: 'UnableToConnectToProject',
    text: 'Realtime was unable to connect to the project database',
  },
  'query-canceled': { code: 'QueryCanceled', text: 'Query was cancelled, please try again' },
  'missing-partition': {
    code: 'MissingPartition',
    text: 'Realtime was unable to find the expected messages partition',
  },
  'replay-failed': { code: 'UnableToReplayMessages', text: 'Realtime was unable to replay messages' },
  'replay-params': { code: 'UnableToReplayMessages', text: 'Replay params are not valid' },
  'replay-public': { code: 'UnableToReplayMessages', text: 'Replay is not allowed for public channels' },
  restarting: { code: 'RealtimeRestarting', text: 'Realtime is restarting, please standby' },
} as const;

/** Refusals with a fixed text. */
type FixedRefusal = keyof typeof refusals;

/** Why something was refused. */
export type Refusal =
  | FixedRefusal
  | { readonly kind: 'expired'; readonly secondsAgo: number }
  | { readonly kind: 'unknown-kid'; readonly kid: string }
  | { readonly kind: 'unauthorized-read'; readonly subTopic: string }
  | { readonly kind: 'read-revoked'; readonly subTopic: string };

/** The text without its code, as `system` messages and refused upgrades carry it. */
export function refusalText(refusal: Refusal): string {
  if (typeof refusal === 'string') return refusals[refusal].text;
  switch (refusal.kind) {
    case 'expired':
      return `Token has expired ${refusal.secondsAgo} seconds ago`;
    case 'unknown-kid':
      return `Failed to generate JWT signer for key ID (kid) ${JSON.stringify(refusal.kid)}, check your JWT secret or JWKS configuration`;
    case 'unauthorized-read':
      return `You do not have permissions to read from this Channel topic: ${refusal.subTopic}`;
    case 'read-revoked':
      return `You no longer have permission to read from this Channel topic: ${refusal.subTopic}`;
  }
}

function refusalCode(refusal: Refusal): string {
  if (typeof refusal === 'string') return refusals[refusal].code;
  switch (refusal.kind) {
    case 'expired':
      return 'InvalidJWTToken';
    case 'unknown-kid':
      return 'JwtSignerError';
    case 'unauthorized-read':
    case 'read-revoked':
      return 'Unauthorized';
  }
}

/** The `reason` of a refused join: code and text. */
export const joinReason = (refusal: Refusal): string => `${refusalCode(refusal)}: ${refusalText(refusal)}`;

/** Status and text of a refused upgrade. An expired token is named without its age there. */
export function upgradeRefusal(refusal: Refusal): { readonly status: number; readonly error: string } {
  if (refusal === 'too-many-users' || refusal === 'too-many-joins')
    return { status: 429, error: refusalText(refusal) };
  if (typeof refusal === 'object' && refusal.kind === 'expired')
    return { status: 401, error: 'Token has expired' };
  return { status: 401, error: refusalText(refusal) };
}
