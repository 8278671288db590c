import { describe, expect, it } from 'vitest';
import {
  requireAllowedMimeType,
  requireMimeTypeEntry,
  servedContentType,
} from '../../../src/storage/mime-types.ts';

describe('a bucket’s list of types', () => {
  it.each([
    ['image/png', ['image/png']],
    ['image/png', ['text/plain', 'image/*']],
    ['text/plain;charset=UTF-8', ['text/plain;charset=UTF-8']],
    ['text/plain; charset=utf-8', ['text/*']],
    ['anything', []],
    ['anything', null],
  ])('lets %s into %j', (type, allowed) => {
    expect(() => requireAllowedMimeType(type, allowed)).not.toThrow();
  });

  it.each([
    ['image/png', ['image/jpeg']],
    ['image/png', ['*/*']],
    ['image', ['image/*']],
    ['', ['image/*']],
    ['imagepng', ['image*']],
  ])('does not let %j into %j', (type, allowed) => {
    expect(() => requireAllowedMimeType(type, allowed)).toThrow(`mime type ${type} is not supported`);
  });

  it('has entries of a form', () => {
    for (const entry of ['a/b', 'a/*', 'any*', 'text/plain;charset=utf-8']) {
      expect(() => requireMimeTypeEntry(entry)).not.toThrow();
    }
    for (const entry of ['a', 'a/b/c', 'a b/c', `a/${'b'.repeat(1000)}`]) {
      expect(() => requireMimeTypeEntry(entry)).toThrow('is not supported');
    }
  });
});

describe('a served type', () => {
  it('is never HTML', () => {
    expect(servedContentType('text/html')).toBe('text/plain');
    expect(servedContentType('Text/HTML; charset=utf-8')).toBe('text/plain');
    expect(servedContentType('image/svg+xml')).toBe('image/svg+xml');
  });
});
