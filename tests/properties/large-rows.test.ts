import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divideRows, type LargeRow } from '../../src/pg/large-rows.ts';

type Column = Buffer | null;

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const message = (tag: string, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from(tag), int32(payload.length + 4), payload]);
const rowMessage = (columns: readonly Column[]): Buffer =>
  message(
    'D',
    Buffer.concat([
      int16(columns.length),
      ...columns.flatMap((column) => (column === null ? [int32(-1)] : [int32(column.length), column])),
    ]),
  );

/** Reads whole messages as the driver's parser does. */
function readMessages(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at, end));
    at = end;
  }
  return messages;
}

const toMessage = ({ fields, large }: LargeRow, column: number): Buffer =>
  rowMessage(
    fields.map((field, i) => {
      if (i === column) return large === null ? null : Buffer.concat(large);
      return field === null ? null : Buffer.from(field);
    }),
  );

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places
    .slice(1)
    .map((end, i) => bytes.subarray(places[i], end))
    .filter((chunk) => chunk.length > 0);
}

/** Sends the chunks through and yields every message in the order in which it came out, and the rows kept back. */
function run(chunks: readonly Buffer[], column: number | null, leastBytes: number) {
  const out: Buffer[] = [];
  const rows: LargeRow[] = [];
  const divide = divideRows(
    {
      pass: (bytes) => out.push(bytes),
      largeColumn: () => column,
      largeRow: (row) => {
        rows.push(row);
        out.push(toMessage(row, column ?? -1));
      },
    },
    leastBytes,
  );
  for (const chunk of chunks) divide(chunk);
  return { messages: readMessages(Buffer.concat(out)), rows };
}

const value = fc.option(fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => Buffer.from(text)));
const anyMessage = fc.oneof(
  fc.array(value, { minLength: 0, maxLength: 5 }).map(rowMessage),
  fc
    .tuple(fc.constantFrom('1', '2', 'C', 'E', 'N', 'T', 'Z', 'd'), fc.uint8Array({ maxLength: 80 }))
    .map(([tag, payload]) => message(tag, Buffer.from(payload))),
);
const stream = fc.array(anyMessage, { maxLength: 8 });
const cuts = fc.array(fc.nat(), { maxLength: 20 });

describe('dividing a connection’s messages', () => {
  it('gives the same messages in the same order wherever the network cuts the stream', () => {
    fc.assert(
      fc.property(
        stream,
        cuts,
        fc.option(fc.nat(4)),
        fc.integer({ min: 0, max: 60 }),
        (messages, at, column, least) => {
          const divided = run(split(Buffer.concat(messages), at), column, least);
          expect(divided.messages).toEqual(messages);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('survives a stream that comes byte by byte', () => {
    fc.assert(
      fc.property(stream, fc.nat(4), (messages, column) => {
        const bytes = Buffer.concat(messages);
        const chunks = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
        expect(run(chunks, column, 0).messages).toEqual(messages);
      }),
    );
  });

  it('keeps a row from the parser that is long and not there at once, without copying its large column', () => {
    const large = Buffer.alloc(1000, 'x');
    const bytes = rowMessage([Buffer.from('é'), large, null]);
    const chunks = split(bytes, [300, 600]);
    const { rows } = run(chunks, 1, 500);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.fields).toEqual(['é', '', null]);
    expect(rows[0]?.large?.every((piece) => piece.buffer === bytes.buffer)).toBe(true);
  });

  it('leaves short rows, rows that came at once and rows without a large column to the parser', () => {
    const bytes = rowMessage([Buffer.alloc(1000, 'x')]);
    expect(run([bytes], 0, 500).rows).toEqual([]);
    expect(run(split(bytes, [300]), 0, 5000).rows).toEqual([]);
    expect(run(split(bytes, [300]), null, 500).rows).toEqual([]);
  });
});
