import { describe, expect, it } from 'vitest';
import { globToRegExp } from '../../../src/auth/redirects/glob.ts';
import { createRedirectRules } from '../../../src/auth/redirects/rules.ts';

describe('a glob of the allow list', () => {
  it.each([
    ['http://localhost:8000/*', 'http://localhost:8000/path', true],
    ['http://localhost:8000/*', 'http://localhost:8000/path?x=1', true],
    ['http://localhost:8000/*', 'http://localhost:8000', false],
    ['http://localhost:8000/*', 'http://localhost:8000/a/b', false],
    ['http://localhost:8000/*', 'http://localhost:8000/a?x=1.5', false],
    ['https://*.example.com/**', 'https://x.example.com/a/b', true],
    ['https://*.example.com/**', 'https://x.y.example.com/a', false],
    ['https://*.example.com/**', 'https://example.com/a', false],
    ['https://a.com/cb', 'https://a.com/cb?x=1', false],
    ['https://a.com/?b', 'https://a.com/xb', true],
    ['https://a.com/?b', 'https://a.com//b', false],
    ['https://[ab].com', 'https://b.com', true],
    ['https://[!ab].com', 'https://b.com', false],
    ['https://[a-c]1.com', 'https://b1.com', true],
    ['https://{a,b}.com/**', 'https://b.com/x', true],
    ['https://{a,b}.com/**', 'https://c.com/x', false],
    ['https://a.com/\\*', 'https://a.com/*', true],
    ['https://a.com/\\*', 'https://a.com/x', false],
    ['https://aXcom/', 'https://a.com/', false],
  ])('%s of %s: %s', (glob, url, isMatch) => {
    expect(globToRegExp(glob).test(url)).toBe(isMatch);
  });

  it.each(['https://{a,b.com', 'https://[ab.com'])('that is not closed is refused: %s', (glob) => {
    expect(() => globToRegExp(glob)).toThrow(SyntaxError);
  });
});

describe('a redirect', () => {
  const rules = createRedirectRules('https://app.example.com/home', [
    'https://*.preview.example.com/**',
    'https://good.example.com',
    'https://**',
    'myapp://**',
    'exp://**',
  ]);

  it.each([
    'https://app.example.com',
    'https://app.example.com/any/path?and=query#fragment',
    'https://pr-1.preview.example.com/a/b',
    'https://good.example.com#anything',
    'myapp://callback',
    'exp://192.example/--/x',
    'http://127.0.0.1:3000/cb',
    'http://[::1]:3000/cb',
  ])('is permitted to %s', (url) => {
    expect(rules.isPermitted(url)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a lesser scheme', 'http://app.example.com/home'],
    ['another port', 'http://app.example.com:8443/'],
    ['what is no URL', '/relative'],
    ['a URL without scheme', '//evil.com'],
    ['somebody with a name', 'https://app.example.com@evil.com/'],
    ['somebody with a password', 'https://a:b@app.example.com/'],
    ['a host after a backslash', 'https://evil.com\\@app.example.com/'],
    ['a host with a tab', 'https://app.example.com\t.evil.com/'],
    ['a host with a line end', 'https://app.example.com\n.evil.com/'],
    ['an address as a number', 'http://2130706433/'],
    ['an address that is not this machine', 'http://10.0.0.1/'],
    ['an address of the sixth version', 'http://[fd00::1]/'],
    ['a host of foreign letters', 'https://аpp.example.com/'],
    ['a host that ends with a dot', 'https://app.example.com./'],
    ['an octal address', 'http://0x7f.1/'],
    ['script', 'javascript:alert(1)'],
    ['data', 'data:text/html,x'],
    ['more than anybody needs', `https://app.example.com/${'a'.repeat(9000)}`],
  ])('is refused to %s', (_, url) => {
    expect(rules.isPermitted(url)).toBe(false);
  });

  it('to this machine may have any port when the site is on it', () => {
    const local = createRedirectRules('http://localhost:3000', []);
    expect(local.isPermitted('http://localhost:8080/x')).toBe(true);
    expect(local.isPermitted('https://localhost:3000/x')).toBe(false);
  });

  it('goes to the first wish that is permitted, else to the site', () => {
    expect(rules.choose('http://evil.com', 'myapp://x', 'https://app.example.com')).toBe('myapp://x');
    expect(rules.choose('http://evil.com', '')).toBe('https://app.example.com/home');
  });
});
