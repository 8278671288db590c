import type { LocalFinding } from '../feature.ts';
import { featureOfCall } from '../features/index.ts';
import { type Argument, memberOf, type Segment } from './chain.ts';
import type { Kind } from './kind.ts';

/** What the arguments of a call use beyond the call itself. */
export function detailsOf(owner: Kind, segment: Segment): LocalFinding[] {
  const { name, line, args } = segment;
  if (args === undefined) return [];
  const found = (feature: string, what: string): LocalFinding => ({ feature, line, what });
  switch (owner) {
    case 'query':
      return queryDetails(name, args).map(([feature, what]) => found(feature, what));
    case 'client':
      return name === 'channel' && isPrivate(args) ? [found('realtime.private', 'private: true')] : [];
    case 'channel':
      return channelDetails(name, args).map(([feature, what]) => found(feature, what));
    case 'bucket':
      return memberOf(args, 'transform') === undefined
        ? []
        : [found('storage.transform', `${name} with transform`)];
    case 'auth':
      return authDetails(name, args).map(([feature, what]) => found(feature, what));
    case 'mfa':
      return factorDetails(name, args).map(([feature, what]) => found(feature, what));
    default:
      return [];
  }
}

type Detail = readonly [feature: string, what: string];

function queryDetails(name: string, args: readonly Argument[]): Detail[] {
  const [first] = args;
  const details: Detail[] = [];
  if (name === 'select' && first?.text !== undefined) details.push(...selectDetails(first.text));
  if (memberOf(args, 'count') !== undefined) details.push(['rest.count', 'count']);
  if (memberOf(args, 'head')?.flag === true) details.push(['rest.head', 'head']);
  const isOfOther = memberOf(args, 'referencedTable') ?? memberOf(args, 'foreignTable');
  if (name === 'order' && isOfOther !== undefined)
    details.push(['rest.order.referenced', 'order of related rows']);
  if (isFilter(name) && /^\w+\.[\w.]+$/.test(first?.text ?? '')) {
    details.push(['rest.embed.filter', first?.text ?? '']);
  }
  if (name !== 'select' && first?.text?.includes('->')) details.push(['rest.json-path', first.text]);
  return details;
}

const isFilter = (name: string): boolean =>
  featureOfCall(`query.${name}`)?.startsWith('rest.filter.') === true;

const AGGREGATE = /(^|[\s,(.])(?:[\w]+\.)?(count|sum|avg|min|max)\(\)/;

/** What a list of columns asks for. */
function selectDetails(text: string): Detail[] {
  const withoutAggregates = text.replaceAll(new RegExp(AGGREGATE, 'g'), '$1');
  const rules: readonly (readonly [boolean, string])[] = [
    [/[\w…]\s*(![\w]+)*\s*\(/.test(withoutAggregates), 'rest.embed'],
    [/!inner\b/.test(text), 'rest.embed.inner'],
    [/!(?!inner\b|left\b)\w+/.test(text), 'rest.embed.hint'],
    [/\.\.\.\s*\w/.test(text), 'rest.embed.spread'],
    [/->/.test(text), 'rest.json-path'],
    [/::/.test(text), 'rest.cast'],
    [/\w\s*:\s*[\w…]/.test(text.replaceAll('::', '')), 'rest.alias'],
    [AGGREGATE.test(text), 'rest.aggregate'],
  ];
  return rules.filter(([holds]) => holds).map(([, feature]) => [feature, oneLine(text)] as const);
}

const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
};

function isPrivate(args: readonly Argument[]): boolean {
  const config = memberOf(args, 'config')?.members;
  return config?.get('private')?.flag === true || memberOf(args, 'private')?.flag === true;
}

const EVENTS: Readonly<Record<string, string>> = {
  postgres_changes: 'realtime.changes',
  broadcast: 'realtime.broadcast',
  presence: 'realtime.presence',
};

function channelDetails(name: string, [first]: readonly Argument[]): Detail[] {
  const feature = name === 'on' && first?.text !== undefined ? EVENTS[first.text] : undefined;
  return feature === undefined ? [] : [[feature, `on('${first?.text}')`]];
}

/** `signIn` of the first clients is all of what later ones have a method each for. */
function firstSignIn(args: readonly Argument[]): Detail {
  const has = (name: string): boolean => memberOf(args, name) !== undefined;
  if (has('provider')) return ['auth.sign-in.oauth', 'signIn'];
  if (has('email') && !has('password')) return ['auth.sign-in.otp', 'signIn'];
  return ['auth.sign-in.password', 'signIn'];
}

function authDetails(name: string, args: readonly Argument[]): Detail[] {
  const details: Detail[] = name === 'signIn' ? [firstSignIn(args)] : [];
  if (/oauth|idtoken|id_token|linkIdentity|^signIn$/i.test(name)) {
    const provider = memberOf(args, 'provider')?.text ?? args[0]?.text;
    if (provider === 'twitter') details.push(['auth.provider.twitter', 'twitter']);
    else if (provider !== undefined) details.push(['auth.provider', provider]);
  }
  const takesPhone =
    /^(signUp|sign_up|signInWith(Password|Otp|OTP)|sign_in_with_(otp|password)|updateUser|resend)$/.test(
      name,
    );
  if (takesPhone && memberOf(args, 'phone') !== undefined)
    details.push(['auth.sign-in.phone', `${name} with phone`]);
  return details;
}

function factorDetails(name: string, args: readonly Argument[]): Detail[] {
  const factor =
    name === 'enroll' ? (memberOf(args, 'factorType') ?? memberOf(args, 'factor_type'))?.text : undefined;
  if (factor === 'phone') return [['auth.mfa.phone', 'enroll phone']];
  return factor === 'webauthn' ? [['auth.mfa.webauthn', 'enroll webauthn']] : [];
}
