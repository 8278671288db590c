import { describe, expect, it } from 'vitest';
import { createRouteFinder, renderRoutes, routes } from '../../../src/storage/routes.ts';
import { pathParams } from '../../../src/storage/wire/path.ts';

const find = createRouteFinder([...routes, ...renderRoutes]);

describe('a path', () => {
  it.each([
    ['GET', '/object/public/b/a', '/object/public/:bucket/*', 'b', 'a'],
    ['GET', '/object/public/b/a/../../x', '/object/public/:bucket/*', 'b', 'a/../../x'],
    ['GET', '/object/public/b/%2e%2e/x', '/object/public/:bucket/*', 'b', '../x'],
    ['GET', '/object/public/b//a', '/object/public/:bucket/*', 'b', '/a'],
    ['GET', '/object/b/a+b%2Bc', '/object/:bucket/*', 'b', 'a+b+c'],
    ['GET', '/object/b/%2525', '/object/:bucket/*', 'b', '%25'],
    ['GET', '/object/a%2Fb/c', '/object/:bucket/*', 'a/b', 'c'],
    ['POST', '/object/list/b', '/object/list/:bucket', 'b', ''],
    ['GET', '/object/list/b', '/object/:bucket/*', 'list', 'b'],
    ['POST', '/object/sign/b/a', '/object/sign/:bucket/*', 'b', 'a'],
    ['POST', '/object/sign/b', '/object/sign/:bucket', 'b', ''],
    ['HEAD', '/object/info/b/a', '/object/info/:bucket/*', 'b', 'a'],
    ['DELETE', '/object/b', '/object/:bucket', 'b', ''],
    ['GET', '/bucket/', '/bucket', '', ''],
    ['GET', '/render/image/sign/b/a', '/render/image/sign/:bucket/*', 'b', 'a'],
  ])('%s %s is %s', (method, path, template, bucket, name) => {
    const route = find(method, path);
    expect(route?.path).toBe(template);
    expect(pathParams(template, path)).toEqual({ bucket, name });
  });

  it.each([
    ['GET', '/'],
    ['GET', '/Object/public/b/a'],
    ['PATCH', '/object/b/a'],
    ['GET', '/object/b'],
    ['GET', '/../object/public/b/a'],
    ['GET', ''],
  ])('%s %s is none', (method, path) => {
    expect(find(method, path)).toBeNull();
  });

  it('with a malformed escape is refused', () => {
    expect(() => pathParams('/object/:bucket/*', '/object/b/%zz')).toThrow('not a valid url component');
    expect(() => pathParams('/object/:bucket/*', '/object/b/%ff')).toThrow('not a valid url component');
  });
});

describe('the table of routes', () => {
  it('names an operation for everything that policies can see', () => {
    for (const route of routes.filter((line) => line.path.includes(':bucket'))) {
      expect(route.operation).toMatch(/^(storage\.)?(bucket|object|cdn)\./);
    }
  });
});
