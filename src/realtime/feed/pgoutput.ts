/*
 * The output plugin's messages, protocol version 1: whole transactions in commit order.
 *
 *   Begin (Relation | Insert | Update | Delete | Truncate | Type | Origin)* Commit
 *
 * Values are kept as the server printed them. A value that did not change and is stored out of line is not sent:
 * it is undefined here, which is not null.
 */

/** A relation as the stream describes it; rows that follow have these columns. */
export type StreamRelation = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns that identify a row in UPDATE and DELETE: its key, an index, or all. */
  readonly identity: ReadonlySet<string>;
};

/** Values by position of the relation's columns. */
export type Tuple = readonly (string | null | undefined)[];

/** One message of the stream. */
export type StreamMessage =
  | { readonly kind: 'begin'; readonly finalLsn: bigint; readonly committedAt: bigint; readonly xid: number }
  | { readonly kind: 'commit'; readonly endLsn: bigint }
  | { readonly kind: 'relation'; readonly relation: StreamRelation }
  | { readonly kind: 'insert'; readonly oid: number; readonly row: Tuple; readonly bytes: number }
  | {
      readonly kind: 'update';
      readonly oid: number;
      readonly row: Tuple;
      /** The row's identity before; null when it did not change. */
      readonly old: Tuple | null;
      readonly bytes: number;
    }
  | { readonly kind: 'delete'; readonly oid: number; readonly old: Tuple; readonly bytes: number }
  /** Truncates, types, origins, and rows that nobody asked for. */
  | { readonly kind: 'other' };

const tags = { begin: 0x42, commit: 0x43, relation: 0x52, insert: 0x49, update: 0x55, delete: 0x44 } as const;
const tupleTags = { null: 0x6e, unchanged: 0x75, text: 0x74, new: 0x4e } as const;

const other: StreamMessage = { kind: 'other' };
/** Microseconds from 1970 to 2000, where the server's clock starts. */
const epochOffset = 946_684_800_000_000n;

class Reader {
  readonly #buffer: Buffer;
  #at = 1;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get length(): number {
    return this.#buffer.length;
  }

  uint8(): number {
    return this.#buffer.readUInt8(this.#at++);
  }

  uint16(): number {
    this.#at += 2;
    return this.#buffer.readUInt16BE(this.#at - 2);
  }

  uint32(): number {
    this.#at += 4;
    return this.#buffer.readUInt32BE(this.#at - 4);
  }

  uint64(): bigint {
    this.#at += 8;
    return this.#buffer.readBigUInt64BE(this.#at - 8);
  }

  time(): bigint {
    this.#at += 8;
    return this.#buffer.readBigInt64BE(this.#at - 8) + epochOffset;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  text(length: number): string {
    this.#at += length;
    if (this.#at > this.#buffer.length) throw new RangeError('a message of the stream ended early');
    return this.#buffer.toString('utf8', this.#at - length, this.#at);
  }

  cString(): string {
    const end = this.#buffer.indexOf(0, this.#at);
    if (end === -1) throw new RangeError('a name of the stream did not end');
    const text = this.#buffer.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  tuple(): Tuple {
    const count = this.uint16();
    const values = new Array<string | null | undefined>(count);
    for (let i = 0; i < count; i++) values[i] = this.#value();
    return values;
  }

  #value(): string | null | undefined {
    const tag = this.uint8();
    if (tag === tupleTags.null) return null;
    if (tag === tupleTags.unchanged) return undefined;
    if (tag !== tupleTags.text) throw new RangeError(`unexpected kind of value ${tag} in the stream`);
    return this.text(this.uint32());
  }
}

/** Whether the rows of a table are worth reading. */
export type WantsTable = (schema: string, table: string) => boolean;

/** Decodes one message; throws `RangeError` for bytes that do not follow the protocol. */
export type StreamDecoder = (buffer: Buffer) => StreamMessage;

/** Creates the decoder of one stream. It remembers the announced relations, to pass over rows that nobody wants. */
export function createStreamDecoder(wants: WantsTable): StreamDecoder {
  const announced = new Map<number, StreamRelation>();
  const isWanted = (oid: number): boolean => {
    const known = announced.get(oid);
    return known !== undefined && wants(known.schema, known.name);
  };
  return (buffer) => {
    const reader = new Reader(buffer);
    const tag = buffer[0];
    switch (tag) {
      case tags.begin:
        return { kind: 'begin', finalLsn: reader.uint64(), committedAt: reader.time(), xid: reader.uint32() };
      case tags.commit:
        reader.skip(1 + 8);
        return { kind: 'commit', endLsn: reader.uint64() };
      case tags.relation: {
        const described = relation(reader);
        announced.set(described.oid, described);
        return { kind: 'relation', relation: described };
      }
      case tags.insert:
      case tags.update:
      case tags.delete: {
        const oid = reader.uint32();
        return isWanted(oid) ? row(tag, oid, reader) : other;
      }
      default:
        return other;
    }
  };
}

function relation(reader: Reader): StreamRelation {
  const oid = reader.uint32();
  const schema = reader.cString();
  const name = reader.cString();
  reader.skip(1);
  const count = reader.uint16();
  const identity = new Set<string>();
  const columns = Array.from({ length: count }, () => {
    const isIdentity = reader.uint8() === 1;
    const column = reader.cString();
    reader.skip(4 + 4);
    if (isIdentity) identity.add(column);
    return column;
  });
  // The name of the system schema is left empty in the stream.
  return { oid, schema: schema === '' ? 'pg_catalog' : schema, name, columns, identity };
}

function row(tag: number, oid: number, reader: Reader): StreamMessage {
  const bytes = reader.length;
  if (tag === tags.insert) {
    reader.skip(1);
    return { kind: 'insert', oid, row: reader.tuple(), bytes };
  }
  if (tag === tags.delete) {
    reader.skip(1);
    return { kind: 'delete', oid, old: reader.tuple(), bytes };
  }
  const hasOld = reader.uint8() !== tupleTags.new;
  const old = hasOld ? reader.tuple() : null;
  if (hasOld) reader.skip(1);
  return { kind: 'update', oid, row: reader.tuple(), old, bytes };
}
