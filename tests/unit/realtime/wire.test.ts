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

  const text = (content: string) => ({ data: Buffer.from(content), isBinary: false });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  /** A socket that keeps what is written to it. */
  const keeping = () => {
    const written: Buffer[] = [];
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk);
        done();
      },
    });
    return { socket, written };
  };

  it('go to a socket together when they are written in the same turn', async () => {
    const { socket, written } = keeping();
    const wire = createWireWriter().open(socket, () => true);
    const [a, b, c] = ['a', 'b', 'c'].map(text);
    for (const frame of [a, b]) wire.write(frame ?? text(''));
    await turn();
    wire.write(c ?? text(''));
    await turn();
    expect(written.map((bytes) => bytes.toString('latin1'))).toEqual(['\x81\x01a\x81\x01b', '\x81\x01c']);
  });

  it('are the same bytes for sockets that get the same frames', async () => {
    const [left, right, other] = [keeping(), keeping(), keeping()];
    const writer = createWireWriter();
    const frames = ['a', 'b'].map(text);
    for (const { socket } of [left, right]) {
      const wire = writer.open(socket, () => true);
      for (const frame of frames) wire.write(frame);
    }
    const wire = writer.open(other.socket, () => true);
    for (const frame of [...frames].reverse()) wire.write(frame);
    await turn();
    expect(left.written[0]).toBe(right.written[0]);
    expect(other.written[0]?.toString('latin1')).toBe('\x81\x01b\x81\x01a');
  });

  it('do not wait for the end of the turn once they are many, or somebody else has to write', () => {
    const { socket, written } = keeping();
    const wire = createWireWriter().open(socket, () => true);
    wire.write(text('x'.repeat(70_000)));
    expect(written).toHaveLength(1);
    wire.write(text('a'));
    expect([written.length, wire.unsentBytes]).toEqual([1, 1]);
    wire.flush();
    expect([written.length, wire.unsentBytes]).toEqual([2, 0]);
  });

  it('are dropped once the socket is being closed', async () => {
    const { socket, written } = keeping();
    let isOpen = true;
    const wire = createWireWriter().open(socket, () => isOpen);
    wire.write(text('a'));
    isOpen = false;
    await turn();
    expect(written).toEqual([]);
  });
});
