import { describe, expect, it } from 'vitest';
import { requireRobotsTag, robotsTagOf } from '../../../src/storage/robots-tag.ts';

describe('a robots tag', () => {
  it.each([
    'none',
    'noindex, nofollow',
    'max-snippet:-1',
    'max-snippet: 0, max-image-preview: large, max-video-preview: 10',
    'unavailable_after: 25 Jun 2030 15:00:00 PST',
    'unavailable_after: Friday, 25-Jun-30 15:00:00 GMT, noindex',
    'googlebot: noindex',
    'googlebot: max-snippet: 3, otherbot: none',
  ])('may be %j', (value) => {
    expect(() => requireRobotsTag(value)).not.toThrow();
  });

  it.each([
    ['', 'must be a non-empty string'],
    ['nothing', 'Invalid X-Robots-Tag rule: "nothing"'],
    ['noindex,', 'contains empty rule'],
    ['max-snippet: -2', 'must be an integer >= -1'],
    ['max-snippet:', 'requires a value'],
    ['max-image-preview: huge', 'must be one of: none, standard, large'],
    ['unavailable_after: soon', 'must be a valid date'],
    ['googlebot:', 'has no rules specified'],
    ['googlebot: nothing', 'Invalid X-Robots-Tag rule'],
  ])('may not be %j', (value, why) => {
    expect(() => requireRobotsTag(value)).toThrow(why);
  });

  it('that is stored and wrong is not sent', () => {
    expect(robotsTagOf('nothing')).toBe('none');
    expect(robotsTagOf(undefined)).toBe('none');
    expect(robotsTagOf('noindex')).toBe('noindex');
  });
});
