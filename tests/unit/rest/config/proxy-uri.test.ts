import { describe, expect, it } from 'vitest';
import { parseProxyUri } from '../../../../src/rest/config/proxy-uri.ts';

describe('a proxy address', () => {
  it.each([
    [
      'https://postgrest.com/openapi.json',
      { scheme: 'https', host: 'postgrest.com', port: 443, path: '/openapi.json' },
    ],
    ['http://example.com', { scheme: 'http', host: 'example.com', port: 80, path: '/' }],
    ['HTTPS://example.com:8443/base', { scheme: 'https', host: 'example.com', port: 8443, path: '/base' }],
    ['http://[::1]:3000/', { scheme: 'http', host: '[::1]', port: 3000, path: '/' }],
  ])('%s is understood', (text, address) => {
    expect(parseProxyUri(text)).toEqual(address);
  });

  it.each([
    'ftp://example.com',
    '/relative',
    'http://',
    'http://user@host',
    'http://host?x',
    'http://host:0',
    'http://host:99999',
    'host:80',
  ])('%s is refused', (text) => {
    expect(parseProxyUri(text)).toBeNull();
  });
});
