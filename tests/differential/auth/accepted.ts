import type { Difference } from './compare.ts';

/** A difference that is meant: a place in a step's result, what both sides have there, and why. */
type Accepted = { readonly step?: RegExp; readonly place: RegExp; readonly reason: string };

/*
 * Each stands in docs/differences.md too, unless no client can see it.
 */
const accepted: readonly Accepted[] = [
  {
    place: /^\.headers\.cache-control: undefined \| "no-store"$/,
    reason: 'answers with tokens say that they must not be stored',
  },
  {
    step: /^long$/,
    place: /^\.(status|headers|body)/,
    reason: 'a password that is too long is a mistake of the client, not of the server',
  },
  {
    step: /^update$/,
    place: /^\.body\.identities\.\d+\.(identity_data\.)?email/,
    reason: "an admin's update tells of identities as they are now",
  },
  {
    step: /^GET \w+ pkce_/,
    place: /^\.(status: 500 \| 303|headers|body)/,
    reason: 'a link for PKCE of a type that cannot be is refused by redirect, as every other link is',
  },
  { place: /^\.body\.users\.\d+\.identities: null \| \[\]$/, reason: 'no identities are an empty list' },
  {
    place: /^\.body\.confirmed_at: undefined \| "<time>"$/,
    reason: 'a user made as confirmed tells of it at once',
  },
];

/** What is left of a difference without what is meant; null when nothing is. */
export function withoutAccepted({ step, places }: Difference): Difference | null {
  const left = places.filter(
    (place) => !accepted.some((one) => one.place.test(place) && (one.step?.test(step) ?? true)),
  );
  return left.length === 0 ? null : { step, places: left };
}
