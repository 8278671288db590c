import { beforeAll, describe } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { createRestApp, type RestApp } from '../../support/rest.ts';
import { filmsFixture, type Scenario, scenarios } from './films.ts';

let rest: RestApp;

beforeAll(async () => {
  rest = await createRestApp(await createTestDatabase(filmsFixture), { planEnabled: true });
});

const app = () => rest;
const ids = (...list: number[]) => list.map((id) => ({ id }));

describe('what is selected', () => {
  scenarios(app, [
    {
      name: 'columns come in the order of the list, under their aliases and casts',
      request: 'GET /films?select=name:title,year::text&id=eq.2',
      json: [{ name: 'M', year: '1931' }],
      answers: {
        'content-type': 'application/json; charset=utf-8',
        'content-range': '0-0/*',
        'content-location': '/films?id=eq.2&select=name%3Atitle%2Cyear%3A%3Atext',
      },
    },
    {
      name: 'JSON paths are named by their last key',
      request: 'GET /films?select=facts->length,facts->cast->0->>n&id=eq.1',
      json: [{ length: 153, n: 'Helm' }],
    },
    {
      name: 'computed columns are columns',
      request: 'GET /films?select=full_title&full_title=like.M*&order=id',
      json: [{ full_title: 'Metropolis (1927)' }, { full_title: 'M (1931)' }],
    },
    {
      name: 'aggregates group by what is selected beside them',
      request: 'GET /films?select=year,count(),rating.avg()::float&order=year&year=lt.1932',
      json: [
        { year: 1927, count: 2, avg: 8.2 },
        { year: 1931, count: 1, avg: 8.3 },
      ],
    },
    {
      name: 'a HEAD has the headers of its GET and no body',
      request: 'HEAD /films',
      text: '',
      answers: { 'content-range': '0-3/*' },
    },
    {
      name: 'an unknown column is 400',
      request: 'GET /films?select=nope',
      status: 400,
      includes: { code: '42703' },
    },
  ]);
});

const filters: readonly (readonly [query: string, ...found: number[]])[] = [
  ['id=eq.2', 2],
  ['id=neq.2', 1, 3, 4],
  ['id=gt.2&id=lte.3', 3],
  ['id=in.(1,3)', 1, 3],
  ['title=in.("M","Sunrise")', 2, 3],
  ['id=in.()'],
  ['id=not.in.(1,3)', 2, 4],
  ['title=like.M*', 1, 2],
  ['title=ilike.*UN*', 3],
  ['title=like(any).{M,Sun*}', 2, 3],
  ['title=ilike(all).{*e*,*t*}', 1, 4],
  ['title=match.^M', 1, 2],
  ['title=imatch.^m$', 2],
  ['year=eq(any).{1931,1933}', 2, 4],
  ['facts=is.null', 3],
  ['facts=not.is.null', 1, 2, 4],
  ['facts=is.not_null', 1, 2, 4],
  ['prequel_id=isdistinct.2', 1, 2, 3],
  ['tags=cs.{silent}', 1, 3],
  ['tags=cd.{crime,drama}', 2, 4],
  ['tags=ov.{scifi,drama}', 1, 3],
  ['shown=cs.[1931-06-01,1931-06-02)', 2],
  ['shown=sl.[1930-01-01,1931-01-01)', 1],
  ['shown=sr.[1930-01-01,1931-01-01)', 2],
  ['shown=nxr.[1927-01-01,1928-01-01)', 1],
  ['shown=nxl.[1931-01-01,1932-01-01)', 2],
  ['shown=adj.[1927-06-01,1928-01-01)', 1],
  ['title=fts(english).testament', 4],
  ['title=plfts.doctor testament'],
  ['title=phfts(simple).of dr', 4],
  ['title=wfts(simple).testament -sunrise', 4],
  ['facts->>length=eq.111', 2],
  ['facts->cast->0->>n=eq.Helm', 1],
  ['or=(id.eq.1,and(year.eq.1931,rating.gt.8))', 1, 2],
  ['not.or=(id.eq.1,id.eq.2)', 3, 4],
  ['title=eq.The Testament of Dr. Mabuse', 4],
];

describe('what is filtered', () => {
  scenarios(
    app,
    filters.map(
      ([query, ...found]): Scenario => ({
        name: `${query} finds ${found.length === 0 ? 'nothing' : found.join(', ')}`,
        request: `GET /films?select=id&order=id&${query.replaceAll(' ', '%20').replaceAll('^', '%5E')}`,
        json: ids(...found),
      }),
    ),
  );
});

describe('what is ordered and cut', () => {
  const exact = { prefer: 'count=exact' };
  scenarios(app, [
    {
      name: 'several terms, nulls where asked',
      request: 'GET /films?select=id&order=prequel_id.desc.nullslast,year.desc,id',
      json: ids(4, 2, 1, 3),
    },
    {
      name: 'limit and offset',
      request: 'GET /films?select=id&order=id&limit=2&offset=1',
      json: ids(2, 3),
      answers: { 'content-range': '1-2/*' },
    },
    {
      name: 'a Range header',
      request: 'GET /films?select=id&order=id',
      headers: { range: '1-2' },
      json: ids(2, 3),
    },
    {
      name: 'a part of a counted whole is 206',
      request: 'GET /films?select=id&order=id&limit=2',
      headers: exact,
      status: 206,
      json: ids(1, 2),
      answers: { 'content-range': '0-1/4', 'preference-applied': 'count=exact' },
    },
    {
      name: 'the whole of a counted whole is 200',
      request: 'GET /films?select=id',
      headers: exact,
      answers: { 'content-range': '0-3/4' },
    },
    {
      name: 'a place beyond the end is 416',
      request: 'GET /films?offset=100',
      headers: exact,
      status: 416,
      includes: { code: 'PGRST103', details: 'An offset of 100 was requested, but there are only 4 rows.' },
      answers: { 'content-range': '*/4' },
    },
    {
      name: 'limit=0 gives nothing',
      request: 'GET /films?limit=0',
      json: [],
      answers: { 'content-range': '*/*' },
    },
    {
      name: 'a planned count comes from the planner',
      request: 'GET /films?select=id&limit=1',
      headers: { prefer: 'count=planned' },
      status: 206,
    },
  ]);
});

describe('other forms of rows', () => {
  scenarios(app, [
    {
      name: 'one object',
      request: 'GET /films?id=eq.2&select=id',
      headers: { accept: 'application/vnd.pgrst.object+json' },
      json: { id: 2 },
      answers: { 'content-type': 'application/vnd.pgrst.object+json; charset=utf-8' },
    },
    {
      name: 'one object that is none is 406',
      request: 'GET /films?id=eq.99',
      headers: { accept: 'application/vnd.pgrst.object+json' },
      status: 406,
      includes: { code: 'PGRST116', details: 'The result contains 0 rows' },
    },
    {
      name: 'objects without their nulls',
      request: 'GET /films?id=eq.3&select=id,facts',
      headers: { accept: 'application/vnd.pgrst.array+json;nulls=stripped' },
      json: [{ id: 3 }],
    },
    {
      name: 'CSV',
      request: 'GET /films?select=id,title&order=id&limit=2',
      headers: { accept: 'text/csv' },
      text: 'id,title\n1,Metropolis\n2,M',
      answers: { 'content-type': 'text/csv; charset=utf-8' },
    },
    {
      name: 'a media type of a function of the database',
      request: 'GET /rpc/film_page?id=2',
      headers: { accept: 'text/html' },
      text: '<h1>M</h1>',
      answers: { 'content-type': 'text/html' },
    },
    {
      name: 'the plan of the query',
      request: 'GET /films',
      headers: { accept: 'application/vnd.pgrst.plan+json' },
      answers: { 'content-type': 'application/vnd.pgrst.plan+json; for="application/json"; charset=utf-8' },
    },
  ]);
});
