import { failures } from './table.ts';

/** Refusals about a user's identities. */
export const identityFailure = failures({
  linkingDisabled: [404, 'manual_linking_disabled', 'Manual linking is disabled'],
  idNotUuid: [404, 'validation_failed', 'identity_id must be an UUID'],
  audience: [403, 'unexpected_audience', "Token audience doesn't match request audience"],
  last: [422, 'single_identity_not_deletable', 'User must have at least 1 identity after unlinking'],
  notFound: [422, 'identity_not_found', "Identity doesn't exist"],
  emailConflict: [
    422,
    'email_conflict_identity_not_deletable',
    'Unable to unlink identity due to email conflict',
  ],
  alreadyLinked: [422, 'identity_already_exists', 'Identity is already linked'],
  linkedElsewhere: [422, 'identity_already_exists', 'Identity is already linked to another user'],
  targetGone: [422, 'user_not_found', 'Linking target user not found'],
});
