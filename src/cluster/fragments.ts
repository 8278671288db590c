import { randomBytes } from 'node:crypto';

/*
 * 0 | message                                       a message that fits
 * 1 | 8 bytes id | uint32 part | uint32 count | part   one part of a larger one
 *
 * The parts of a message come from one publisher, so they arrive in order; those of several publishers may mingle.
 */

const whole = 0;
const part = 1;
const headerBytes = 1 + 8 + 4 + 4;

/** Cuts a message into frames of at most `maxBytes` each. */
export function toFrames(message: Buffer, maxBytes: number): Buffer[] {
  if (message.length + 1 <= maxBytes) return [Buffer.concat([Buffer.from([whole]), message])];
  const id = randomBytes(8);
  const size = maxBytes - headerBytes;
  const count = Math.ceil(message.length / size);
  return Array.from({ length: count }, (_, i) => {
    const header = Buffer.alloc(headerBytes);
    header[0] = part;
    id.copy(header, 1);
    header.writeUInt32BE(i, 9);
    header.writeUInt32BE(count, 13);
    return Buffer.concat([header, message.subarray(i * size, (i + 1) * size)]);
  });
}

/** Puts the messages of one subject together again; yields null while parts are missing. */
export type Assembler = (frame: Buffer) => Buffer | null;

/** Messages whose parts may be outstanding at once; the oldest is given up for a newer one. */
const maxOpen = 64;

/** Creates an assembler. A message of which a part was lost never completes. */
export function createAssembler(): Assembler {
  const open = new Map<string, Buffer[]>();
  return (frame) => {
    if (frame[0] === whole) return frame.subarray(1);
    if (frame[0] !== part || frame.length < headerBytes) return null;
    const id = frame.toString('latin1', 1, 9);
    const [index, count] = [frame.readUInt32BE(9), frame.readUInt32BE(13)];
    const parts = open.get(id) ?? [];
    if (parts.length !== index) {
      open.delete(id);
      return null;
    }
    parts.push(Buffer.from(frame.subarray(headerBytes)));
    if (parts.length === count) {
      open.delete(id);
      return Buffer.concat(parts);
    }
    open.set(id, parts);
    const [oldest] = open.keys();
    if (open.size > maxOpen && oldest !== undefined) open.delete(oldest);
    return null;
  };
}
