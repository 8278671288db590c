import { accountFailure } from '../failures/account.ts';

const maxEmailBytes = 255;
const emailShape =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

/** A mail address in the form in which it is stored; refuses what is not one. */
export function demandEmail(email: string): string {
  if (email === '') throw accountFailure.emailRequired();
  if (Buffer.byteLength(email) > maxEmailBytes) throw accountFailure.emailTooLong();
  if (!emailShape.test(email)) throw accountFailure.emailInvalid();
  return email.toLowerCase();
}

/** A phone number as it is stored: without plus sign and spaces. */
export const plainPhone = (phone: string): string => phone.replace(/^\+/, '').replaceAll(' ', '');

/** A phone number in the form in which it is stored; refuses what is not E.164. */
export function demandPhone(phone: string): string {
  const plain = plainPhone(phone);
  if (!/^[1-9][0-9]{1,14}$/.test(plain)) throw accountFailure.phoneInvalid();
  return plain;
}
