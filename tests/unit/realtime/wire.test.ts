import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createWireWriter, wireBytes } from '../../../src/realtime/socket/wire.ts';

describe('frames on the wire', () => {
  it.each([
    [0, [0x82, 0]],
    [125, [0x82, 125]],
    [126, [0x82, 126, 0, 126]],
    [65_535, [0x82, 126, 255, 255]],
    [65_536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])('of %i bytes are whole, binary and not masked', (length, header) => {
    const data = Buffer.alloc(length, 'x');
    const bytes = wireBytes({ data, isBinary: true });
    expect([...bytes.subarray(0, header.length)]).toEqual(header);
    expect(bytes.subarray(header.length).equals(data)).toBe(true);
  });

  it('of text say so', () => {
    expect(wireBytes({ data: Buffer.from('a'), isBinary: false })).toEqual(Buffer.from([0x81, 1, 0x61]));
  });

  it('are made once, however many sockets they go to', () => {
    const frame = { data: Buffer.from('a'), isBinary: false };
    expect(wireBytes(frame)).toBe(wireBytes(frame));
  });

  it('go to a socket together when they are written in the same turn', async () => {
    const written: string[][] = [];
    const socket = new Duplex({
      read() {},
      writev(chunks, done) {
        written.push(chunks.map(({ chunk }) => chunk.toString('latin1').slice(2)));
        done();
      },
    });
    const writer = createWireWriter();
    for (const text of ['a', 'b', 'c']) writer.write(socket, { data: Buffer.from(text), isBinary: false });
    await new Promise((resolve) => setImmediate(resolve));
    writer.write(socket, { data: Buffer.from('d'), isBinary: false });
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toEqual([['a', 'b', 'c'], ['d']]);
  });
});
