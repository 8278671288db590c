import { failures } from './table.ts';

/** Refusals of the admin endpoints. */
export const adminFailure = failures({
  userIdNotUuid: [404, 'validation_failed', 'user_id must be an UUID'],
  userNotFound: [404, 'user_not_found', 'User not found'],
  badPagination: [400, 'validation_failed', (reason: string) => `Bad Pagination Parameters: ${reason}`],
  badSort: [400, 'validation_failed', (reason: string) => `Bad Sort Parameters: ${reason}`],
  noAddress: [400, 'validation_failed', 'Cannot create a user without either an email or phone'],
  passwordOrHash: [400, 'validation_failed', 'Only a password or a password hash should be provided'],
  idNotUuid: [400, 'validation_failed', 'ID must conform to the uuid v4 format'],
  idNil: [400, 'validation_failed', 'ID cannot be a nil uuid'],
  banDuration: [400, 'validation_failed', (reason: string) => `invalid format for ban duration: ${reason}`],
  passwordTooLong: [400, 'validation_failed', 'bcrypt: password length exceeds 72 bytes'],
  phoneTaken: [422, 'phone_exists', 'Phone number already registered by another user'],
  auditScope: [400, 'validation_failed', (scope: string) => `Invalid query scope: ${scope}`],
  linkUserNotFound: [404, 'user_not_found', 'User with this email not found'],
  linkNeedsSecureChange: [
    400,
    'validation_failed',
    'Enable secure email change to generate link for current email',
  ],
  linkType: [400, 'validation_failed', (type: string) => `Invalid email action link type requested: ${type}`],
});
