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

/** One socket as frames are written to it. */
export interface Wire {
  write(frame: Frame): void;
  /** Writes what is held now, before somebody else writes. */
  flush(): void;
  /** Bytes that the client has not taken yet. */
  readonly unsentBytes: number;
}

/** Makes wires: what goes to one socket in the same turn of the event loop goes in one piece. */
export interface WireWriter {
  /** `isOpen` is asked before anything is written: nothing may follow a close frame. */
  open(socket: Duplex, isOpen: () => boolean): Wire;
}

/** Held bytes that are written before the turn is over; more of them would make a socket that reads look slow. */
const mostHeldBytes = 64 * 1024;

/** Creates the writer of all sockets of an instance. */
export function createWireWriter(): WireWriter {
  let held: HeldWire[] = [];
  const release = (): void => {
    const wires = held;
    held = [];
    for (const wire of wires) wire.flush();
  };
  const hold = (wire: HeldWire): void => {
    if (held.push(wire) === 1) setImmediate(release);
  };
  const join = createJoiner();
  return { open: (socket, isOpen) => new HeldWire(socket, isOpen, hold, join) };
}

class HeldWire implements Wire {
  readonly #socket: Duplex;
  readonly #isOpen: () => boolean;
  readonly #hold: (wire: HeldWire) => void;
  readonly #join: (frames: readonly Frame[]) => Buffer;
  #frames: Frame[] | null = null;
  #bytes = 0;

  constructor(
    socket: Duplex,
    isOpen: () => boolean,
    hold: (wire: HeldWire) => void,
    join: (frames: readonly Frame[]) => Buffer,
  ) {
    this.#socket = socket;
    this.#isOpen = isOpen;
    this.#hold = hold;
    this.#join = join;
  }

  write(frame: Frame): void {
    this.#bytes += frame.data.length;
    if (this.#frames === null) {
      this.#frames = [frame];
      this.#hold(this);
    } else this.#frames.push(frame);
    if (this.#bytes > mostHeldBytes) this.flush();
  }

  flush(): void {
    const frames = this.#frames;
    if (frames === null) return;
    this.#frames = null;
    this.#bytes = 0;
    if (this.#isOpen() && this.#socket.writable) this.#socket.write(this.#join(frames));
  }

  get unsentBytes(): number {
    return this.#socket.writableLength + this.#bytes;
  }
}

/** Joins frames to what is written; sockets of one topic get the same ones, and share the bytes. */
function createJoiner(): (frames: readonly Frame[]) => Buffer {
  let last: { readonly frames: readonly Frame[]; readonly bytes: Buffer } | null = null;
  return (frames) => {
    const [only] = frames;
    if (frames.length === 1 && only !== undefined) return wireBytes(only);
    if (last !== null && isSame(last.frames, frames)) return last.bytes;
    const bytes = Buffer.concat(frames.map(wireBytes));
    last = { frames, bytes };
    return bytes;
  };
}

function isSame(left: readonly Frame[], right: readonly Frame[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}
