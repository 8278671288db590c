import { describe, expect, it } from 'vitest';
import { errorOf, type Sketch } from '../prepare.ts';

type Case = readonly [name: string, target: string, expected: object, sketch?: Sketch];

const cases: readonly Case[] = [
  [
    'an unknown table is 404 and suggests the nearest one',
    '/film',
    { status: 404, code: 'PGRST205', hint: "Perhaps you meant the table 'public.films'" },
  ],
  ['a table like no other suggests nothing', '/zzz', { code: 'PGRST205', hint: null }],
  ['a path of three parts is 404', '/a/b/c', { status: 404, code: 'PGRST125' }],
  ['a trailing slash is another path', '/films/', { code: 'PGRST125' }],
  ['a method that rows do not know is 405', '/films', { status: 405, code: 'PGRST117' }, { method: 'PURGE' }],
  ['a method that functions do not know is 405', '/rpc/add_them', { code: 'PGRST101' }, { method: 'PATCH' }],
  [
    'a schema that is not exposed is 406',
    '/films',
    { status: 406, code: 'PGRST106', hint: 'Only the following schemas are exposed: public' },
    { headers: { 'accept-profile': 'private' } },
  ],
  [
    'a media type that nobody renders is 406',
    '/films',
    {
      status: 406,
      code: 'PGRST107',
      message: 'None of these media types are available: image/png, text/xml',
    },
    { headers: { accept: 'image/png, text/xml' } },
  ],
  [
    'a plan is not shown unless that is enabled',
    '/films',
    { code: 'PGRST107' },
    { headers: { accept: 'application/vnd.pgrst.plan' } },
  ],
  [
    'a filter below something that is not embedded is 400',
    '/films?actors.name=eq.x',
    {
      status: 400,
      code: 'PGRST108',
      hint: "Verify that 'actors' is included in the 'select' query parameter.",
    },
  ],
  [
    'a limit below zero is 416',
    '/films?limit=-1',
    { status: 416, code: 'PGRST103', details: 'Limit should be greater than or equal to zero.' },
  ],
  [
    'a range upside down is 416',
    '/films',
    {
      code: 'PGRST103',
      details: 'The lower boundary must be lower than or equal to the upper boundary in the Range header.',
    },
    { headers: { range: '9-0' } },
  ],
  [
    'a PUT without its key is 405',
    '/films?title=eq.x',
    { status: 405, code: 'PGRST105' },
    { method: 'PUT', body: '{}' },
  ],
  [
    'a PUT with more than its key is 405',
    '/films?id=eq.1&title=eq.x',
    { code: 'PGRST105' },
    { method: 'PUT', body: '{}' },
  ],
  [
    'a PUT with a limit is 400',
    '/films?id=eq.1&limit=1',
    { code: 'PGRST114' },
    { method: 'PUT', body: '{}' },
  ],
  [
    'a body with an unknown column is 400',
    '/films',
    { code: 'PGRST204', message: "Could not find the 'nope' column of 'films' in the schema cache" },
    { method: 'POST', body: '{"nope":1}' },
  ],
  [
    'an order by a to-many embed is 400',
    '/films?select=*,roles(*)&order=roles(character)',
    { code: 'PGRST118', details: "'films' and 'roles' do not form a many-to-one or one-to-one relationship" },
  ],
  ['an order by something that is not embedded is 400', '/films?order=actors(name)', { code: 'PGRST108' }],
  [
    'aggregates may be disabled',
    '/films?select=rating.avg()',
    { code: 'PGRST123' },
    { config: { aggregatesEnabled: false } },
  ],
  [
    'aggregates below a spread list are not implemented',
    '/films?select=...roles(character.count())',
    { code: 'PGRST127' },
  ],
  [
    'preferences that nobody knows are 400 when handling is strict',
    '/films',
    { code: 'PGRST122', details: 'Invalid preferences: nonsense' },
    { headers: { prefer: 'handling=strict, nonsense' } },
  ],
  [
    'max-affected on a function that returns one value is 400',
    '/rpc/add_them?a=1&b=2',
    { code: 'PGRST128' },
    { headers: { prefer: 'handling=strict, max-affected=1' } },
  ],
  [
    'the root may be disabled',
    '/',
    { status: 404, code: 'PGRST126' },
    { config: { openApiMode: 'disabled' } },
  ],
];

describe('errors of planning', () => {
  for (const [name, target, expected, sketch] of cases) {
    it(name, () => {
      expect(errorOf(target, sketch)).toMatchObject(expected);
    });
  }
});

describe('errors of relationships', () => {
  it('none: the details name the search, the hint the nearest relation', () => {
    expect(errorOf('/films?select=actor(*)')).toMatchObject({
      status: 400,
      code: 'PGRST200',
      message: "Could not find a relationship between 'films' and 'actor' in the schema cache",
      details:
        "Searched for a foreign key relationship between 'films' and 'actor' in the schema 'public', but no matches were found.",
      hint: "Perhaps you meant 'actors' instead of 'actor'.",
    });
  });

  it('none by that hint: the details name the hint', () => {
    expect(errorOf('/films?select=directors!nope(*)').details).toContain("'directors' using the hint 'nope'");
  });

  it('more than one: the details list them, the hint says how to choose', () => {
    const error = errorOf('/matches?select=teams(*)');
    expect(error).toMatchObject({
      status: 300,
      code: 'PGRST201',
      message: "Could not embed because more than one relationship was found for 'matches' and 'teams'",
      hint: "Try changing 'teams' to one of the following: 'teams!matches_guest_id_fkey', 'teams!matches_home_id_fkey'. Find the desired relationship in the 'details' key.",
    });
    expect(error.details).toEqual([
      {
        cardinality: 'many-to-one',
        embedding: 'matches with teams',
        relationship: 'matches_guest_id_fkey using matches(guest_id) and teams(id)',
      },
      {
        cardinality: 'many-to-one',
        embedding: 'matches with teams',
        relationship: 'matches_home_id_fkey using matches(home_id) and teams(id)',
      },
    ]);
  });
});

describe('errors of calls', () => {
  const post = (body: string, type = 'application/json'): Sketch => ({
    method: 'POST',
    body,
    headers: { 'content-type': type },
  });

  it('an unknown function suggests the nearest one', () => {
    expect(errorOf('/rpc/add_then')).toMatchObject({
      status: 404,
      code: 'PGRST202',
      message: 'Could not find the function public.add_then without parameters in the schema cache',
      details:
        'Searched for the function public.add_then without parameters, but no matches were found in the schema cache.',
      hint: 'Perhaps you meant to call the function public.add_them',
    });
  });

  it('wrong arguments suggest the nearest overload', () => {
    expect(errorOf('/rpc/add_them?a=1&c=2')).toMatchObject({
      message: 'Could not find the function public.add_them(a, c) in the schema cache',
      details:
        'Searched for the function public.add_them with parameters a, c, but no matches were found in the schema cache.',
      hint: 'Perhaps you meant to call the function public.add_them(a, b)',
    });
  });

  it('a body of JSON could also have been one unnamed parameter', () => {
    expect(errorOf('/rpc/add_them', post('{"a":1}')).details).toBe(
      'Searched for the function public.add_them with parameter a or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.',
    );
  });

  it('a body of text names no parameters', () => {
    expect(errorOf('/rpc/add_them', post('x', 'text/plain'))).toMatchObject({
      message: 'Could not find the function public.add_them in the schema cache',
      details:
        'Searched for the function public.add_them with a single unnamed text parameter, but no matches were found in the schema cache.',
      hint: null,
    });
  });

  it('overloads that the arguments cannot tell apart are 300', () => {
    expect(errorOf('/rpc/overloaded?a=1')).toMatchObject({
      status: 300,
      code: 'PGRST203',
      message:
        'Could not choose the best candidate function between: public.overloaded(a => integer, b => integer), public.overloaded(a => text, c => text)',
    });
  });
});
