import { describe, expect, it } from 'vitest';
import { decideLink, type LinkState, linkingDomain } from '../../../src/auth/flows/link-decision.ts';
import type { User } from '../../../src/auth/store/rows.ts';

const person = (id: string): User => ({ id, email: `${id}@example.com` }) as User;
const [ann, bob] = [person('ann'), person('bob')];
const address = (verified: boolean) => [{ email: 'Ann@Example.com', verified, primary: true }];

const nobody: LinkState = {
  owner: null,
  linked: [],
  similar: [],
  emails: address(true),
  isAddressTaken: false,
  isAutoconfirm: false,
};

describe('somebody from a provider', () => {
  const cases: [string, Partial<LinkState>, object][] = [
    ['who is known', { owner: ann, similar: [bob] }, { kind: 'exists', user: ann, email: 'ann@example.com' }],
    ['who is new', {}, { kind: 'create', email: 'ann@example.com', isVerified: true }],
    ['with an identity of the address', { linked: [ann, ann] }, { kind: 'link', user: ann }],
    ['with two identities of the address', { linked: [ann, bob] }, { kind: 'several' }],
    ['whose address has an account', { similar: [ann] }, { kind: 'link', user: ann }],
    ['whose addresses have two accounts', { similar: [ann, bob] }, { kind: 'several' }],
    [
      'whose address is unverified and free',
      { emails: address(false) },
      { kind: 'create', email: 'ann@example.com', isVerified: false },
    ],
    [
      'whose address is unverified and taken',
      { emails: address(false), similar: [ann], linked: [ann], isAddressTaken: true },
      { kind: 'create', email: '', isVerified: false },
    ],
    [
      'whose address counts as verified',
      { emails: address(false), similar: [ann], isAutoconfirm: true },
      { kind: 'link', user: ann },
    ],
    ['without an address', { emails: [] }, { kind: 'create', email: '', isVerified: false }],
  ];
  it.each(cases)('%s', (_, state, decision) => {
    expect(decideLink({ ...nobody, ...state })).toMatchObject(decision);
  });
});

it('accounts are linked within a domain', () => {
  expect(linkingDomain('google', {})).toBe('default');
  expect(linkingDomain('google', { google: 'work' })).toBe('work');
  expect(linkingDomain('sso:1', { 'sso:1': 'default' })).toBe('sso:1');
  expect(linkingDomain('constructor', {})).toBe('default');
});
