import { describe, expect, it } from 'vitest';
import { readXml, writeErrorXml, writeXml } from '../../../../src/storage/s3/xml.ts';

describe('a document', () => {
  it.each([
    ['&quot;abc&quot;', '"abc"'],
    ['&#34;abc&#34;', '"abc"'],
    ['&#x22;abc&#x22;', '"abc"'],
    ['a&amp;#34;b', 'a&#34;b'],
    ['&lt;&gt;&apos;', "<>'"],
  ])('is read with %s as %s', (written, meant) => {
    expect(readXml(`<Tag><ETag>${written}</ETag></Tag>`)).toEqual({ Tag: { ETag: meant } });
  });

  it.each(['<!DOCTYPE x [<!ENTITY e "x">]><a>&e;</a>', '<a>', 'text'])('is refused as %s', (text) => {
    expect(() => readXml(text)).toThrow('Invalid XML payload');
  });

  it('is written in the namespace of the protocol, with what must be escaped', () => {
    expect(writeXml('Root', { Key: 'a<b&"c"\r\u0001', Empty: '', None: undefined, List: ['1', '2'] })).toBe(
      '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' +
        '<Root xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        '<Key>a&lt;b&amp;"c"&#xD;\uFFFD</Key><Empty/><List>1</List><List>2</List></Root>',
    );
  });

  // With a namespace botocore reads no code from it.
  it('of a failure is written in no namespace', () => {
    expect(writeErrorXml({ Code: 'NoSuchKey' })).toMatch(
      /^<\?xml [^>]*\?><Error><Code>NoSuchKey<\/Code><\/Error>$/,
    );
  });
});
