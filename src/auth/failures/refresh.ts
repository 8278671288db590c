import { failures } from './table.ts';

/** Refusals of the refresh grant; each of them ends the session in the client. */
export const refreshFailure = failures({
  malformed: [400, 'validation_failed', 'Refresh token is not valid'],
  notFound: [400, 'refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found'],
  banned: [400, 'user_banned', 'Invalid Refresh Token: User Banned'],
  noSession: [400, 'session_not_found', 'Invalid Refresh Token: No Valid Session Found'],
  expired: [400, 'session_expired', 'Invalid Refresh Token: Session Expired'],
  inactive: [400, 'session_expired', 'Invalid Refresh Token: Session Expired (Inactivity)'],
  lowAal: [
    400,
    'session_expired',
    'Invalid Refresh Token: Session Expired (Low AAL: User Needs MFA Verification)',
  ],
  newerLogin: [400, 'session_expired', 'Invalid Refresh Token: Session Expired (Revoked by Newer Login)'],
  alreadyUsed: [400, 'refresh_token_already_used', 'Invalid Refresh Token: Already Used'],
  notIssuedHere: [400, 'validation_failed', 'Invalid Refresh Token: Not Issued By This Server'],
});
