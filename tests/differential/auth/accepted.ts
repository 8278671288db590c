import type { Difference } from './compare.ts';

/** Places of a step's result that are meant to differ, as `compare.ts` writes them, and why. */
type Accepted = {
  /** Steps that the rule is for; all without it. */
  readonly step?: RegExp;
  readonly isMeant: (place: string, all: readonly string[]) => boolean;
  readonly reason: string;
};

const at =
  (shape: RegExp): Accepted['isMeant'] =>
  (place) =>
    shape.test(place);

/** The answer as a whole, where upstream fails with one status and this project refuses with another. */
const instead =
  (theirs: number, ours: number): Accepted['isMeant'] =>
  (place, all) =>
    all.includes(`.status: ${theirs} | ${ours}`) && /^\.(status|headers|body)/.test(place);

/** A request for a mail or message that came too soon after the last one to the same address. */
const paused: Accepted['isMeant'] = (place, all) =>
  instead(200, 429)(place, all) &&
  all.some((one) => /^\.body\.(error_)?code: undefined \| "over_(email|sms)_send_rate_limit"$/.test(one));

/** A location that upstream has percent-encoded once more. */
const encodedTwice: Accepted['isMeant'] = (place) => {
  const [, theirs = '', ours = ''] = /^\.headers\.location: (".*") \| (".*")$/.exec(place) ?? [];
  return theirs !== ours && theirs.replaceAll(/%25(?=[0-9A-F]{2})/g, '%') === ours;
};

const methodShape = /^\.claims\.amr\.\d+\.method: (".*") \| (".*")$/;

/** The methods of a session, the same ones in another order. */
const inOtherOrder: Accepted['isMeant'] = (place, all) => {
  const pairs = all
    .flatMap((one) => [methodShape.exec(one)?.slice(1) ?? []])
    .filter(({ length }) => length > 0);
  const [theirs, ours] = [0, 1].map((side) =>
    pairs
      .map((pair) => pair[side])
      .sort()
      .join(),
  );
  return methodShape.test(place) && theirs === ours;
};

/*
 * Each stands in docs/differences.md too, unless it is up to chance or to how upstream was built.
 */
const accepted: readonly Accepted[] = [
  {
    isMeant: at(/^\.headers\.cache-control: undefined \| "no-store"$/),
    reason: 'answers with tokens say that they must not be stored',
  },
  {
    step: /^long$/,
    isMeant: instead(500, 400),
    reason: 'a password that is too long is a mistake of the client, not of the server',
  },
  {
    step: /^GET (email|sms|nonsense) (pkce_|<hash)/,
    isMeant: instead(500, 303),
    reason: 'a link for PKCE of a type that cannot be is refused by redirect, as every other link is',
  },
  { isMeant: encodedTwice, reason: 'error texts in fragments are encoded once' },
  {
    step: /^the same key$/,
    isMeant: instead(500, 422),
    reason: 'a passkey that is registered already is a conflict, not a failure',
  },
  {
    step: /^put a taken name$/,
    isMeant: instead(500, 422),
    reason: 'a name that another connection has is a conflict, not a failure',
  },
  { isMeant: paused, reason: 'pauses between mails count for addresses with and without an account' },
  {
    isMeant: at(/^\.body\.detail: "Failing row contains <row>\." \| undefined$/),
    reason: 'what a refused row holds is not told',
  },
  { step: /per_page=0$/, isMeant: instead(500, 200), reason: 'a page of no users is empty' },
  {
    isMeant: at(
      /^\.headers\.link: "<\/admin\/(users|audit)\?(filter=[^&]*)&(page=\d+)>(.*)" \| "<\/admin\/\1\?\3&\2>\4"$/,
    ),
    reason: 'links begin with the page, where auth-js looks for it',
  },
  {
    step: /^row <token .*> of refresh_tokens$/,
    isMeant: at(/^: \{.*"revoked":true.*\} \| undefined$|^\.parent: "<token [^"]*>" \| null$/),
    reason: 'no refresh token of one factor survives a second factor',
  },
  {
    step: /^link email_change_new/,
    isMeant: at(/^\.body\.hashed_token: "<hash [^"]*>" \| "<hash [^"]*>"$/),
    reason: 'the hash belongs to the new address',
  },
  {
    step: /^row <token .*> of refresh_tokens$/,
    isMeant: at(/^\.id: \d+ \| \d+$/),
    reason: 'a refusal of the hook for claims uses up no number of a token',
  },
  {
    isMeant: inOtherOrder,
    reason: 'of two methods in one second upstream names either first',
  },
  {
    step: /^GET \/health$/,
    isMeant: at(/^\.body\.version: "" \| "v\d/),
    reason: 'a build without a version',
  },
];

/** A difference, apart: what is left to explain, and what is meant, with the reason that stands for each place. */
export type Judged = {
  readonly step: string;
  readonly unexplained: readonly string[];
  readonly meant: readonly { readonly place: string; readonly reason: string }[];
};

/** Splits a difference into what is meant and what is not. */
export function judge({ step, places }: Difference): Judged {
  const judged = places.map((place) => ({ place, reason: reasonFor(step, place, places) }));
  return {
    step,
    unexplained: judged.flatMap(({ place, reason }) => (reason === null ? [place] : [])),
    meant: judged.flatMap(({ place, reason }) => (reason === null ? [] : [{ place, reason }])),
  };
}

const reasonFor = (step: string, place: string, all: readonly string[]): string | null =>
  accepted.find((rule) => (rule.step?.test(step) ?? true) && rule.isMeant(place, all))?.reason ?? null;
