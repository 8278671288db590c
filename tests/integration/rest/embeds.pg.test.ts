import { beforeAll, describe } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { createRestApp, type RestApp } from '../../support/rest.ts';
import { filmsFixture, scenarios } from './films.ts';

let rest: RestApp;

beforeAll(async () => {
  rest = await createRestApp(await createTestDatabase(filmsFixture));
});

const app = () => rest;

describe('embeds', () => {
  scenarios(app, [
    {
      name: 'of one: an object, or null',
      request: 'GET /films?select=id,prequel_id(title)&id=in.(3,4)&order=id',
      json: [
        { id: 3, prequel_id: null },
        { id: 4, prequel_id: { title: 'M' } },
      ],
    },
    {
      name: 'of many: a list',
      request: 'GET /directors?select=name,films(title)&id=gte.2&films.order=id',
      json: [
        { name: 'F. W. Murnau', films: [{ title: 'Sunrise' }] },
        { name: 'Lotte Reiniger', films: [] },
      ],
    },
    {
      name: 'through a junction',
      request: 'GET /films?select=id,actors(name)&id=eq.1',
      json: [{ id: 1, actors: [{ name: 'Brigitte Helm' }] }],
    },
    {
      name: 'of a table with itself, from the many',
      request: 'GET /films?select=id,films(title)&id=eq.2',
      json: [{ id: 2, films: [{ title: 'The Testament of Dr. Mabuse' }] }],
    },
    {
      name: 'by a function',
      request: 'GET /films?select=id,sequels(id)&id=eq.2',
      json: [{ id: 2, sequels: [{ id: 4 }] }],
    },
    {
      name: 'of a view',
      request: 'GET /recent_films?select=id,directors(name)&id=eq.2',
      json: [{ id: 2, directors: { name: 'Fritz Lang' } }],
    },
    {
      name: 'by the name of a key',
      request: 'GET /matches?select=home:teams!matches_home_id_fkey(name),guest:guest_id(name)',
      json: [{ home: { name: 'Ajax' }, guest: { name: 'Benfica' } }],
    },
    {
      name: 'that are ambiguous are 300',
      request: 'GET /matches?select=teams(*)',
      status: 300,
      includes: { code: 'PGRST201' },
    },
    {
      name: 'on three levels',
      request: 'GET /directors?select=name,films(title,roles(character,actors(name)))&id=eq.1&films.id=eq.2',
      json: [
        {
          name: 'Fritz Lang',
          films: [{ title: 'M', roles: [{ character: 'Hans Beckert', actors: { name: 'Peter Lorre' } }] }],
        },
      ],
    },
    {
      name: 'that must exist choose the rows above',
      request: 'GET /directors?select=id,films!inner(id)&films.year=eq.1933',
      json: [{ id: 1, films: [{ id: 4 }] }],
    },
    {
      name: 'that are null choose the rows above',
      request: 'GET /directors?select=id,films()&films=is.null',
      json: [{ id: 3 }],
    },
    {
      name: 'can be tested beside a filter',
      request: 'GET /directors?select=id,films()&or=(films.is.null,name.like.Fritz*)&order=id',
      json: [{ id: 1 }, { id: 3 }],
    },
    {
      name: 'are ordered and cut by themselves',
      request: 'GET /directors?select=films(id)&id=eq.1&films.order=year.desc&films.limit=1&films.offset=1',
      json: [{ films: [{ id: 2 }] }],
    },
    {
      name: 'of one order the rows above',
      request: 'GET /films?select=id,directors(name)&order=directors(name),id.desc&limit=2',
      json: [
        { id: 3, directors: { name: 'F. W. Murnau' } },
        { id: 4, directors: { name: 'Fritz Lang' } },
      ],
    },
    {
      name: 'are counted with the rows above when they must exist',
      request: 'GET /directors?select=id,films!inner(id)',
      headers: { prefer: 'count=exact' },
      answers: { 'content-range': '0-1/2' },
    },
  ]);
});

describe('spread embeds', () => {
  scenarios(app, [
    {
      name: 'of one give their columns to the row',
      request: 'GET /films?select=id,...directors(director:name)&id=eq.3',
      json: [{ id: 3, director: 'F. W. Murnau' }],
    },
    {
      name: 'of many give a list for each column',
      request: 'GET /directors?select=id,...films(titles:title,years:year)&id=eq.1&films.order=year',
      json: [
        { id: 1, titles: ['Metropolis', 'M', 'The Testament of Dr. Mabuse'], years: [1927, 1931, 1933] },
      ],
    },
    {
      name: 'lift their aggregates to the row',
      request: 'GET /roles?select=...films(...directors(name),rating.max())',
      json: [{ name: 'Fritz Lang', max: 8.3 }],
    },
  ]);
});
