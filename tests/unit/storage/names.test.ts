import { describe, expect, it } from 'vitest';
import {
  isValidObjectName,
  parseFileSize,
  requireBucketId,
  requireNewBucketName,
} from '../../../src/storage/names.ts';

describe('an object’s name', () => {
  it.each(['a', 'a/b/c.txt', "A!-_.*'() &$=@;:+,?9", 'a//b', '/a', 'a/', '...', 'x'.repeat(255)])(
    'may be %j',
    (name) => {
      expect(isValidObjectName(name)).toBe(true);
    },
  );

  it.each([
    '',
    '.',
    '..',
    'a/../b',
    './a',
    'a/.',
    'é',
    '%41',
    '#',
    '~',
    '[',
    '"',
    '\\',
    '^',
    '|',
    '\n',
    '\0',
    'x'.repeat(256),
  ])('may not be %j', (name) => {
    expect(isValidObjectName(name)).toBe(false);
  });

  it('may not be longer than a key of any store', () => {
    expect(isValidObjectName('ab/'.repeat(341))).toBe(true);
    expect(isValidObjectName('ab/'.repeat(342))).toBe(false);
  });
});

describe('a bucket’s name', () => {
  it.each(['a', 'My Bucket', 'x'.repeat(100), '..'])('may be asked for as %j', (name) => {
    expect(() => requireBucketId(name)).not.toThrow();
  });

  it.each(['', 'a/b', 'x'.repeat(101), 'é'])('may not be asked for as %j', (name) => {
    expect(() => requireBucketId(name)).toThrow('Bucket name invalid');
  });

  it.each([' a', 'a ', '.', '..', 'x--table-s3'])('may not be made as %j', (name) => {
    expect(() => requireNewBucketName(name)).toThrow('Bucket name invalid');
  });
});

describe('a size', () => {
  it.each([
    ['3B', 3],
    ['30KB', 30_000],
    ['20mb', 20_000_000],
    ['1.5GB', 1_500_000_000],
    ['1234MB', 1_230_000_000],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseFileSize(text)).toBe(bytes);
  });

  it.each(['', '5', '5MiB', '5 MB', '-5MB', 'MB'])('may not be %j', (text) => {
    expect(() => parseFileSize(text)).toThrow('Invalid file size format');
  });
});
