import { beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { createRestApp, type RestApp } from '../../support/rest.ts';
import { filmsFixture, scenarios } from './films.ts';

let rest: RestApp;

beforeAll(async () => {
  rest = await createRestApp(await createTestDatabase(filmsFixture), {
    transactionEnd: { rollback: true, allowOverride: true },
  });
});

const app = () => rest;
const typed = (type: string) => ({ 'content-type': type });

describe('calls', () => {
  scenarios(app, [
    { name: 'by GET with arguments in the query', request: 'GET /rpc/add_them?a=1&b=2', json: 3 },
    { name: 'without an argument that has a default', request: 'GET /rpc/add_them?a=1', json: 11 },
    {
      name: 'by POST with arguments in a JSON object',
      request: 'POST /rpc/add_them',
      body: { a: 1, b: 2 },
      json: 3,
    },
    {
      name: 'by POST with a form',
      request: 'POST /rpc/add_them',
      headers: typed('application/x-www-form-urlencoded'),
      body: 'a=1&b=2',
      json: 3,
    },
    {
      name: 'of one row give an object',
      request: 'GET /rpc/newest_film?select=title',
      json: { title: 'The Testament of Dr. Mabuse' },
    },
    { name: 'of out parameters give an object', request: 'GET /rpc/pair', json: { word: 'one', number: 1 } },
    { name: 'of a set of values give a list', request: 'GET /rpc/years', json: [1927, 1931, 1933] },
    {
      name: 'of rows filter, order, cut and embed them',
      request: 'GET /rpc/films_of?year=1927&select=id,directors(name)&order=id.desc&limit=1',
      json: [{ id: 3, directors: { name: 'F. W. Murnau' } }],
    },
    {
      name: 'of rows are counted',
      request: 'GET /rpc/films_of?year=1927&select=id&limit=1',
      headers: { prefer: 'count=exact' },
      status: 206,
      answers: { 'content-range': '0-0/2' },
    },
    {
      name: 'with a variadic parameter take all arguments of its name',
      request: 'GET /rpc/join_words?words=a&words=b',
      text: '"a-b"',
    },
    {
      name: 'hand a JSON body to one unnamed parameter',
      request: 'POST /rpc/echo_json',
      body: { x: [1] },
      json: { x: [1] },
    },
    {
      name: 'hand a text body to one unnamed parameter',
      request: 'POST /rpc/echo_text',
      headers: typed('text/plain'),
      body: 'hello',
      json: 'hello',
    },
    {
      name: 'hand bytes to one unnamed parameter',
      request: 'POST /rpc/count_bytes',
      headers: typed('application/octet-stream'),
      body: Buffer.from([0, 255, 10]),
      json: 3,
    },
    {
      name: 'of functions that change something are not made by GET',
      request: 'GET /rpc/rename_all',
      status: 405,
      includes: { code: '25006' },
    },
    { name: 'of functions without a result are 204', request: 'POST /rpc/rename_all', status: 204, text: '' },
    {
      name: 'of nobody are 404 with a suggestion',
      request: 'GET /rpc/add_then?a=1',
      status: 404,
      includes: { code: 'PGRST202', hint: 'Perhaps you meant to call the function public.add_them' },
    },
    {
      name: 'with an argument of the wrong type are 400',
      request: 'GET /rpc/add_them?a=x',
      status: 400,
      includes: { code: '22P02' },
    },
  ]);
});

describe('what functions set and raise', () => {
  scenarios(app, [
    {
      name: 'headers and status',
      request: 'GET /rpc/set_answer',
      status: 299,
      json: 'set',
      answers: { 'x-film': 'M', 'set-cookie': 'a=1,b=2' },
    },
    {
      name: 'an error of their own code',
      request: 'GET /rpc/refuse?code=PT418&message=tea',
      status: 418,
      json: { code: 'PT418', message: 'tea', details: '', hint: 'try another' },
      answers: { 'proxy-status': 'PostgREST; error=PT418' },
    },
    {
      name: 'a whole answer',
      request: 'GET /rpc/raise_answer',
      status: 402,
      json: { code: 'PAY', message: 'Payment required', details: null, hint: null },
      answers: { 'x-price': '5' },
    },
  ]);
});

describe('what functions know', () => {
  it('role, claims, method, path, headers, cookies and time zone of the request', async () => {
    const answer = await rest.call('GET', '/rpc/who', {
      claims: { role: 'authenticated', sub: 'alice' },
      headers: { 'user-agent': 'a test', cookie: 'x=1; session=abc', prefer: 'timezone=America/Lima' },
    });
    expect(answer.json()).toEqual({
      role: 'authenticated',
      sub: 'alice',
      method: 'GET',
      path: '/rpc/who',
      agent: 'a test',
      cookie: 'abc',
      zone: 'America/Lima',
    });
    expect(answer.headers['preference-applied']).toBe('timezone=America/Lima');
  });
});

describe('options and the root', () => {
  scenarios(app, [
    {
      name: 'a table',
      request: 'OPTIONS /films',
      text: '',
      answers: { allow: 'OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE' },
    },
    {
      name: 'a table without a key',
      request: 'OPTIONS /keyless',
      answers: { allow: 'OPTIONS,GET,HEAD,POST,PATCH,DELETE' },
    },
    {
      name: 'a function that changes something',
      request: 'OPTIONS /rpc/rename_all',
      answers: { allow: 'OPTIONS,POST' },
    },
    {
      name: 'a function that reads',
      request: 'OPTIONS /rpc/years',
      answers: { allow: 'OPTIONS,GET,HEAD,POST' },
    },
    { name: 'the root', request: 'OPTIONS /', answers: { allow: 'OPTIONS,GET,HEAD' } },
    {
      name: 'the document of the root',
      request: 'GET /',
      includes: { swagger: '2.0' },
      answers: { 'content-type': 'application/openapi+json; charset=utf-8' },
    },
  ]);
});
