import { boolean, duration, integer, list, optional } from '../kind.ts';
import { option } from '../option.ts';

/** Sessions and refresh tokens. */
export const authSessionOptions = {
  refreshTokenRotation: option({
    kind: boolean,
    default: true,
    toml: 'auth.enable_refresh_token_rotation',
    env: ['GOTRUE_SECURITY_REFRESH_TOKEN_ROTATION_ENABLED'],
    description: 'Revoke the whole family of a refresh token that is used again too late.',
  }),
  refreshTokenReuseSeconds: option({
    kind: integer(),
    default: 10,
    toml: 'auth.refresh_token_reuse_interval',
    env: ['GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL'],
    description: 'Seconds in which a refresh token may be used again (several tabs, a lost answer).',
  }),
  refreshTokenVersion: option({
    kind: integer(0, 2),
    default: 0,
    env: ['GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION'],
    description: 'Form of new refresh tokens: 2 is the counter form, anything else the short one.',
  }),
  refreshTokenUpgradePercentage: option({
    kind: integer(0, 100),
    default: 0,
    env: ['GOTRUE_SECURITY_REFRESH_TOKEN_UPGRADE_PERCENTAGE'],
    description: 'Share of sessions with short tokens that move to the counter form at their next refresh.',
  }),
  refreshTokenAllowReuse: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_SECURITY_REFRESH_TOKEN_ALLOW_REUSE'],
    description: 'Accept old refresh tokens of the counter form at any time.',
  }),
  sessionTimeboxMs: option({
    kind: optional(duration),
    default: null,
    toml: 'auth.sessions.timebox',
    env: ['GOTRUE_SESSIONS_TIMEBOX'],
    description: 'Longest life of a session.',
  }),
  sessionInactivityMs: option({
    kind: optional(duration),
    default: null,
    toml: 'auth.sessions.inactivity_timeout',
    env: ['GOTRUE_SESSIONS_INACTIVITY_TIMEOUT'],
    description: 'Time without a refresh after which a session ends.',
  }),
  sessionLowAalMs: option({
    kind: optional(duration),
    default: null,
    env: ['GOTRUE_SESSIONS_ALLOW_LOW_AAL'],
    description: 'Time in which a user with a second factor must use it.',
  }),
  sessionSinglePerUser: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_SESSIONS_SINGLE_PER_USER'],
    description: 'Only the most recently active session of a user can be refreshed.',
  }),
  sessionTags: option({
    kind: list,
    default: [],
    env: ['GOTRUE_SESSIONS_TAGS'],
    description: 'Kinds of sessions that are counted apart when a user may have a single one.',
  }),
};
