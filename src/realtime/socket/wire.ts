import type { Duplex } from 'node:stream';
import type { Frame } from './frame.ts';

/*
 * What the `ws` library would write for a frame of a server: not masked, not compressed, in one piece. Made here, once
 * per frame and not once per socket that it goes to.
 */

const finalText = 0x81;
const finalBinary = 0x82;
const [length16, length64] = [126, 127];

const made = new WeakMap<Frame, Buffer>();

/** The bytes of a frame on the wire. */
export function wireBytes(frame: Frame): Buffer {
  const known = made.get(frame);
  if (known !== undefined) return known;
  const bytes = Buffer.concat([header(frame), frame.data]);
  made.set(frame, bytes);
  return bytes;
}

function header({ data, isBinary }: Frame): Buffer {
  const first = isBinary ? finalBinary : finalText;
  const { length } = data;
  if (length < length16) return Buffer.from([first, length]);
  if (length < 2 ** 16) return Buffer.from([first, length16, length >> 8, length & 0xff]);
  const long = Buffer.alloc(10);
  long[0] = first;
  long[1] = length64;
  long.writeBigUInt64BE(BigInt(length), 2);
  return long;
}

/** Writes to sockets: what goes to one socket in the same turn of the event loop goes in one system call. */
export interface WireWriter {
  write(socket: Duplex, frame: Frame): void;
}

/** Held bytes that are worth a system call of their own; more of them would make a socket that reads look slow. */
const mostHeldBytes = 64 * 1024;

/** Creates the writer of all sockets of an instance. */
export function createWireWriter(): WireWriter {
  let held: Duplex[] = [];
  const release = (): void => {
    const sockets = held;
    held = [];
    for (const socket of sockets) socket.uncork();
  };
  return {
    write(socket, frame) {
      if (socket.writableCorked === 0) {
        socket.cork();
        if (held.push(socket) === 1) setImmediate(release);
      }
      socket.write(wireBytes(frame));
      if (socket.writableLength > mostHeldBytes) socket.uncork();
    },
  };
}
