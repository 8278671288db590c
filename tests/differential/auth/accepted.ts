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
    step: /^GET \w+ (pkce_|<hash)/,
    place: /^\.(status: 500 \| 303|headers|body)/,
    reason: 'a link for PKCE of a type that cannot be is refused by redirect, as every other link is',
  },
  {
    place: /^\.headers\.location: ".*%25[0-9A-F]{2}.*" \| /,
    reason: 'error texts in fragments are encoded once',
  },
  {
    step: /^the same key$/,
    place: /^\.(status|headers|body)/,
    reason: 'a passkey that is registered already is a conflict, not a failure',
  },
  {
    place: /^\.headers\.link: "<\/admin\/\w+\?filter=/,
    reason: 'links begin with the page, where auth-js looks for it',
  },
  {
    step: /^POST \/signup/,
    place: /identity_data\.empty/,
    reason: 'upstream tells of a null that it stores only sometimes',
  },
  {
    step: /^put a taken name$/,
    place: /^\.(status|headers|body)/,
    reason: 'a name that another connection has is a conflict, not a failure',
  },
  {
    step: /^row <token \d+> of refresh_tokens$/,
    place: /^: \{.*"revoked":true.*\} \| undefined$|^\.parent: "<token \d+>" \| null$/,
    reason: 'no refresh token of one factor survives a second factor',
  },
  {
    step: /^verify/,
    place: /^\.claims\.amr\.\d+\.method/,
    reason: 'of two methods in one second upstream names either first',
  },
  {
    place: /^\.claims\.aud: \["authenticated"\] \| "authenticated"$/,
    reason: "the first token of upstream's process lists its audience",
  },
  { step: /^GET \/health$/, place: /^\.body\.version/, reason: 'a build without a version' },
  { step: /per_page=0$/, place: /./, reason: 'a page of no users is empty' },
  { step: /^link email_change_new/, place: /hashed_token/, reason: 'the hash belongs to the new address' },
];

/** A difference, apart: what is left to explain, and what is meant, with the reason that stands for each place. */
export type Judged = {
  readonly step: string;
  readonly unexplained: readonly string[];
  readonly meant: readonly { readonly place: string; readonly reason: string }[];
};

/** Splits a difference into what is meant and what is not. */
export function judge({ step, places }: Difference): Judged {
  const judged = places.map((place) => ({
    place,
    reason: accepted.find((one) => one.place.test(place) && (one.step?.test(step) ?? true))?.reason ?? null,
  }));
  return {
    step,
    unexplained: judged.flatMap(({ place, reason }) => (reason === null ? [place] : [])),
    meant: judged.flatMap(({ place, reason }) => (reason === null ? [] : [{ place, reason }])),
  };
}
