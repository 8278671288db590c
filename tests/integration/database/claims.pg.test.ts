import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase } from '../../support/database.ts';

const { owner } = await createTestDatabase();
const id = '11111111-2222-4333-8444-555555555555';
const claims = { sub: id, role: 'authenticated', email: 'ann@example.com', plan: 'gold' };

/** What policies see under some settings; all of them are forgotten afterwards. */
async function seenUnder(settings: Readonly<Record<string, string>>) {
  await owner.exec('begin');
  try {
    for (const [name, value] of Object.entries(settings)) {
      await owner.query(sql`select set_config(${name}, ${value}, true)`);
    }
    const [row] = await owner.query<Record<string, unknown>>(sql`
      select auth.uid() as uid, auth.role() as role, auth.email() as email, auth.jwt() ->> 'plan' as plan`);
    return row;
  } finally {
    await owner.exec('rollback');
  }
}

describe('what policies ask about a request', () => {
  it('is answered from the claims as one text', async () => {
    expect(await seenUnder({ 'request.jwt.claims': JSON.stringify(claims) })).toEqual({
      uid: id,
      role: 'authenticated',
      email: 'ann@example.com',
      plan: 'gold',
    });
  });

  it('is answered from a setting for each claim, as older releases of PostgREST make them', async () => {
    const settings = {
      'request.jwt.claim.sub': id,
      'request.jwt.claim.role': 'authenticated',
      'request.jwt.claim.email': 'ann@example.com',
    };
    expect(await seenUnder(settings)).toEqual({
      uid: id,
      role: 'authenticated',
      email: 'ann@example.com',
      plan: null,
    });
  });

  it.each<[string, Record<string, string>]>([
    ['no settings', {}],
    [
      'empty settings, as a connection has them after a request',
      { 'request.jwt.claims': '', 'request.jwt.claim.sub': '' },
    ],
    ['the claims of nobody', { 'request.jwt.claims': '{}' }],
  ])('is nothing under %s', async (_, settings) => {
    expect(await seenUnder(settings)).toEqual({ uid: null, role: null, email: null, plan: null });
  });
});
