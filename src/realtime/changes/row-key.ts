import type { Change } from './model.ts';

/** The changed row's primary key in the server's print; null when a part of it is not known. */
export function primaryKeyOf({ relation, row }: Change): readonly string[] | null {
  const key = relation.primaryKey.map(({ name }) => row?.get(name) ?? null);
  return key.every((part) => part !== null) ? key : null;
}

/** Names who asks about which relation: one question for all rows. */
export const visibilityKey = (role: string, claims: string, { relation }: Change): string =>
  `${relation.oid}\0${role}\0${claims}`;
