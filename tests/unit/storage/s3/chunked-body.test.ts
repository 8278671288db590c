import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ChunkedBody, HashedBody } from '../../../../src/storage/s3/chunked-body.ts';

const plain = { decodedLength: null, hasTrailer: false, sign: null, seed: '' };

/** Decodes a framed body that arrives in pieces of the given size. */
const decode = async (
  framed: string,
  pieceBytes: number,
  options: Partial<typeof plain> = {},
): Promise<string> => {
  const bytes = Buffer.from(framed);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  const body = new ChunkedBody({ ...plain, ...options });
  Readable.from(pieces).pipe(body);
  return (await buffer(body)).toString();
};

const framed = '5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n';

describe('a framed body', () => {
  it.each([1, 2, 3, 7, 1000])('is decoded in pieces of %d bytes', async (pieceBytes) => {
    expect(await decode(framed, pieceBytes)).toBe('hello world');
    expect(await decode('0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n', pieceBytes, { hasTrailer: true })).toBe('');
  });

  it('tells the headers behind it, and is refused with more of them than anybody sends', async () => {
    const body = new ChunkedBody({ ...plain, hasTrailer: true });
    Readable.from([Buffer.from('0\r\nX-Amz-Checksum-CRC32: AAAA==\r\nother:a:b\r\n\r\n')]).pipe(body);
    await buffer(body);
    expect([...body.trailers]).toEqual([
      ['x-amz-checksum-crc32', 'AAAA=='],
      ['other', 'a:b'],
    ]);
    const many = Array.from({ length: 20 }, (_, i) => `t${i}:x\r\n`).join('');
    await expect(decode(`0\r\n${many}\r\n`, 100)).rejects.toThrow('Too many trailers');
  });

  it.each([
    ['a missing end', '5\r\nhello\r\n', {}, 'ended before it was complete'],
    ['a missing trailer', framed, { hasTrailer: true }, 'ended before it was complete'],
    ['another length than announced', framed, { decodedLength: 12 as never }, 'ended before it was complete'],
    ['a chunk that is longer than it says', '3\r\nhello\r\n0\r\n\r\n', {}, 'longer than its header says'],
    ['a header that is none', 'x\r\n', {}, 'malformed'],
    ['a header without end', '1'.repeat(5000), {}, 'too long'],
    ['a wrong signature', framed, { sign: (() => 'a'.repeat(64)) as never }, 'does not match'],
  ])('with %s fails', async (_case, text, options, why) => {
    await expect(decode(text, 4, options)).rejects.toThrow(why);
  });
});

describe('a hashed body', () => {
  const pass = (expected: string): Promise<Buffer> =>
    buffer(Readable.from([Buffer.from('abc')]).pipe(new HashedBody(expected)));

  it('passes with its hash and fails with another', async () => {
    const right = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(String(await pass(right))).toBe('abc');
    await expect(pass('0'.repeat(64))).rejects.toThrow('does not match');
  });
});
