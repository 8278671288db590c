/*
 * The driver's parser joins the chunks of a message before it reads it, and makes a string of each column. For a
 * result of hundreds of megabytes in one column that is several times its size. Here rows of that kind are taken out
 * of the stream of bytes before the parser sees them; everything else goes on to it as it came.
 */

/** A row of which one column stayed in the pieces that the network brought. */
export type LargeRow = {
  /** The other columns as the server printed them; the large one is an empty text. */
  readonly fields: readonly (string | null)[];
  /** The large column; null for SQL null. */
  readonly large: readonly Buffer[] | null;
};

/** Where the parts of the stream go. */
export type Sinks = {
  /** Takes bytes for the driver's parser, in order. */
  readonly pass: (bytes: Buffer) => void;
  /** Index of the column of the row at hand that may stay in pieces; null for a row that the parser shall read. */
  readonly largeColumn: () => number | null;
  readonly largeRow: (row: LargeRow) => void;
};

const dataRow = 0x44;
const headBytes = 5;
const nothing: Buffer = Buffer.alloc(0);

/** Length from which a row that did not arrive at once is worth the trouble. */
const leastRowBytes = 64 * 1024;

/** Divides a connection's messages: yields the function that takes its chunks. */
export function divideRows(sinks: Sinks, leastBytes: number = leastRowBytes): (chunk: Buffer) => void {
  /** Bytes to come of a message whose beginning the parser has. */
  let passing = 0;
  /** Beginning of a message's head, too short to tell its length. */
  let shortHead = nothing;
  let row: Generator<undefined, LargeRow, Source> | null = null;

  const passOn = (chunk: Buffer, from: number, to: number): void => {
    if (from === to) return;
    sinks.pass(to - from === chunk.length ? chunk : chunk.subarray(from, to));
  };
  /** Reads on in a row; yields where the next message begins. */
  const readOn = (reading: NonNullable<typeof row>, source: Source): number => {
    const step = reading.next(source);
    row = step.done === true ? null : reading;
    if (step.done === true) sinks.largeRow(step.value);
    return source.at;
  };

  return (received) => {
    const chunk = shortHead.length === 0 ? received : Buffer.concat([shortHead, received]);
    shortHead = nothing;
    const from = row === null ? 0 : readOn(row, { chunk, at: 0 });
    let at = from + Math.min(passing, chunk.length - from);
    passing -= at - from;
    while (at + headBytes <= chunk.length) {
      const end = at + 1 + chunk.readUInt32BE(at + 1);
      if (end <= chunk.length) {
        at = end;
        continue;
      }
      if (chunk[at] === dataRow && end - at >= leastBytes) {
        // The parser has to know what came before, so that the question is about this row.
        passOn(chunk, from, at);
        const column = sinks.largeColumn();
        if (column !== null) {
          const source = { chunk, at: at + headBytes };
          readOn(readRow(source, column), source);
          return;
        }
        passOn(chunk, at, chunk.length);
      } else passOn(chunk, from, chunk.length);
      passing = end - chunk.length;
      return;
    }
    passOn(chunk, from, at);
    if (at < chunk.length) shortHead = chunk.subarray(at);
  };
}

/** A chunk and how far it has been read. */
type Source = { readonly chunk: Buffer; at: number };

/** Reads a row as its bytes come: asks for the next chunk at the end of each. */
function* readRow(first: Source, largeColumn: number): Generator<undefined, LargeRow, Source> {
  const reading: Reading = { source: first };
  const fields: (string | null)[] = [];
  let large: readonly Buffer[] | null = null;
  const count = Buffer.concat(yield* take(reading, 2)).readInt16BE();
  for (let i = 0; i < count; i++) {
    const length = Buffer.concat(yield* take(reading, 4)).readInt32BE();
    const value = length === -1 ? null : yield* take(reading, length);
    if (i === largeColumn) large = value;
    if (value === null) fields.push(null);
    else fields.push(i === largeColumn ? '' : Buffer.concat(value).toString());
  }
  return { fields, large };
}

type Reading = { source: Source };

function* take(reading: Reading, length: number): Generator<undefined, Buffer[], Source> {
  const pieces: Buffer[] = [];
  let missing = length;
  while (missing > 0) {
    if (reading.source.at === reading.source.chunk.length) reading.source = yield;
    const { source } = reading;
    const piece = source.chunk.subarray(source.at, source.at + missing);
    source.at += piece.length;
    missing -= piece.length;
    pieces.push(piece);
  }
  return pieces;
}
