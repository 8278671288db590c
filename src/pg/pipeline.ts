import { EventEmitter } from 'node:events';
import type { Client, ClientConfig, Submittable } from 'pg';
import pg from 'pg';
import { PgFailure, toPgFailure } from './failure.ts';
import { divideRows } from './large-rows.ts';
import type { Statement } from './sql/sql.ts';
import { StatementCache, statementName } from './statement-cache.ts';

/*
 * Several statements, one Sync, one round trip:
 *
 *   Parse? Bind Describe? Execute | Parse? Bind Describe? Execute | ... | Sync
 *
 * Without an explicit BEGIN the server runs everything up to Sync as one implicit transaction: settings made by the
 * first statement with set_config(..., true) bind the next ones, a failure skips the rest and rolls back, and
 * deferred constraints are checked at Sync. Therefore nothing is answered before ReadyForQuery.
 */

/** One statement of a pipeline. */
export type Step = {
  readonly statement: Statement;
  /** Scope of the prepared statement's name (role, search path); null sends an unnamed statement. */
  readonly scope: string | null;
  /** `text`: columns as the server printed them; `objects`: rows keyed by column name with parsed values. */
  readonly rows: 'text' | 'objects' | 'none';
};

/** A row as the server printed it: one string per column, null for SQL null. */
export type TextRow = readonly (string | null)[];

/** What one step gave back. */
export type StepResult = {
  readonly rows: TextRow[];
  readonly objects: Record<string, unknown>[];
  /**
   * The statement's large column in the first row, as the bytes that came; its text in `rows` is empty then.
   * Null when nobody asked for it, and when the row was short enough to give it as text.
   */
  readonly large: readonly Buffer[] | null;
  /** Number of rows that the command tag names. */
  readonly affected: number;
};

type ParseMessage = { name: string; text: string; types?: number[] };
type BindMessage = {
  portal: string;
  statement: string;
  values: unknown[];
  valueMapper: (value: unknown) => unknown;
};

/** The part of the driver's connection that a pipeline writes to. */
type Wire = {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: ParseMessage): void;
  bind(message: BindMessage): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: { portal: string; rows: number }): void;
  close(message: { type: 'S'; name: string }): void;
  sync(): void;
};

type Field = { readonly name: string; readonly dataTypeID: number };
type TypeParser = (oid: number, format: 'text') => (value: string) => unknown;

const caches = new WeakMap<object, StatementCache>();
const statementsPerConnection = 512;

/** Postgres' own rendering of a bound value: text, bytes, or null; objects travel as JSON, arrays as array literals. */
const prepareValue = (value: unknown): unknown => {
  if (typeof value === 'string' || value === null || Buffer.isBuffer(value)) return value;
  if (value === undefined) return null;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return arrayLiteral(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

const arrayLiteral = (items: readonly unknown[]): string =>
  `{${items
    .map((item) => {
      if (item === null || item === undefined) return 'NULL';
      if (Array.isArray(item)) return arrayLiteral(item);
      const text = Buffer.isBuffer(item) ? `\\x${item.toString('hex')}` : String(prepareValue(item));
      return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
    })
    .join(',')}}`;

class Pipeline implements Submittable {
  readonly #steps: readonly Step[];
  readonly #cache: StatementCache;
  readonly #settle: (failure: PgFailure | null) => void;
  readonly #typeParser: TypeParser;
  readonly #awaitingParse: string[] = [];
  #parsedCount = 0;
  #current = 0;
  #fields: readonly Field[] = [];
  readonly results: { -readonly [Key in keyof StepResult]: StepResult[Key] }[];

  constructor(
    steps: readonly Step[],
    cache: StatementCache,
    typeParser: TypeParser,
    settle: (failure: PgFailure | null) => void,
  ) {
    this.#steps = steps;
    this.#cache = cache;
    this.#typeParser = typeParser;
    this.#settle = settle;
    this.results = steps.map(() => ({ rows: [], objects: [], large: null, affected: 0 }));
  }

  submit(connection: unknown): void {
    // The driver's typings hide the extended-protocol calls that its own Query class makes.
    const wire = connection as Wire;
    wire.stream.cork();
    try {
      for (const step of this.#steps) this.#send(wire, step);
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
  }

  #send(wire: Wire, step: Step): void {
    const { text, values } = step.statement;
    const name = step.scope === null ? '' : statementName(text, step.scope);
    const { parse, evict } =
      name === '' || this.#awaitingParse.includes(name)
        ? { parse: name === '', evict: null }
        : this.#cache.prepare(name);
    if (evict !== null) wire.close({ type: 'S', name: evict });
    if (parse) {
      this.#awaitingParse.push(name);
      wire.parse({ name, text });
    }
    wire.bind({ portal: '', statement: name, values, valueMapper: prepareValue });
    if (step.rows === 'objects') wire.describe({ type: 'P', name: '' });
    wire.execute({ portal: '', rows: 0 });
  }

  /** Called by the connection's listener: the next statement that was sent for parsing is now known. */
  parseComplete(): void {
    const name = this.#awaitingParse[this.#parsedCount++];
    if (name !== undefined && name !== '') this.#cache.parsed(name);
  }

  handleRowDescription(message: { readonly fields: readonly Field[] }): void {
    this.#fields = message.fields;
  }

  /** Which column of the row at hand may stay in pieces. */
  largeColumn(): number | null {
    const step = this.#steps[this.#current];
    return step?.rows === 'text' && this.results[this.#current]?.rows.length === 0
      ? (step.statement.largeColumn ?? null)
      : null;
  }

  handleDataRow(message: { readonly fields: TextRow; readonly large?: StepResult['large'] }): void {
    const result = this.results[this.#current];
    if (result === undefined) return;
    if (message.large !== undefined) result.large = message.large;
    if (this.#steps[this.#current]?.rows === 'objects') result.objects.push(this.#toObject(message.fields));
    else result.rows.push(message.fields);
  }

  #toObject(row: TextRow): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#fields.forEach((field, i) => {
      const value = row[i] ?? null;
      object[field.name] = value === null ? null : this.#typeParser(field.dataTypeID, 'text')(value);
    });
    return object;
  }

  handleCommandComplete(message: { readonly text: string }): void {
    const result = this.results[this.#current++];
    if (result !== undefined) result.affected = countOf(message.text);
  }

  handleEmptyQuery(): void {
    this.#current++;
  }

  handleError(thrown: unknown): void {
    this.#settle(toPgFailure(thrown));
  }

  handleReadyForQuery(): void {
    this.#settle(null);
  }
}

/** The number at the end of a command tag such as `INSERT 0 5`; a command without one touched no rows. */
const countOf = (tag: string): number => Number(tag.slice(tag.lastIndexOf(' ') + 1)) || 0;

/** What the driver's typings leave out. */
type Inner = {
  readonly connection: EventEmitter & { attachListeners(stream: EventEmitter): void };
  _getActiveQuery(): unknown;
};

/** A client that runs pipelines: with a cache of its statements, and large columns kept from the driver's parser. */
export class PipelineClient extends pg.Client {
  constructor(config?: ClientConfig) {
    super(config);
    caches.set(this, new StatementCache(statementsPerConnection));
    const { connection } = this as unknown as Inner;
    connection.on('parseComplete', () => this.#pipeline()?.parseComplete());
    const attachParser = connection.attachListeners.bind(connection);
    connection.attachListeners = (stream) => {
      const parsed = new EventEmitter();
      attachParser(parsed);
      const divide = divideRows({
        pass: (bytes) => parsed.emit('data', bytes),
        largeColumn: () => this.#pipeline()?.largeColumn() ?? null,
        largeRow: (row) => connection.emit('dataRow', row),
      });
      stream.on('data', divide);
    };
  }

  #pipeline(): Pipeline | null {
    const active = (this as unknown as Inner)._getActiveQuery();
    return active instanceof Pipeline ? active : null;
  }
}

/** A cached plan whose result type changed, or a statement name that the server no longer has. */
const isStale = (failure: PgFailure): boolean =>
  failure.sqlstate === '26000' ||
  (failure.sqlstate === '0A000' && failure.routine === 'RevalidateCachedQuery');

/**
 * Runs the steps under one Sync and resolves with one result per step.
 * Rejects with `PgFailure`; then nothing of the pipeline took effect. Stale prepared statements (after DDL, or behind
 * a pooler that drops them) are forgotten and the pipeline is sent once more.
 */
export async function runPipeline(client: Client, steps: readonly Step[]): Promise<readonly StepResult[]> {
  try {
    return await submit(client, steps);
  } catch (failure) {
    if (!(failure instanceof PgFailure) || !isStale(failure)) throw failure;
    caches.get(client)?.clear();
    await client.query('deallocate all');
    return submit(client, steps);
  }
}

function submit(client: Client, steps: readonly Step[]): Promise<readonly StepResult[]> {
  const cache = caches.get(client);
  if (cache === undefined) throw new TypeError('the client is no PipelineClient');
  return new Promise((resolve, reject) => {
    const typeParser = client.getTypeParser.bind(client) as TypeParser;
    const pipeline: Pipeline = new Pipeline(steps, cache, typeParser, (failure) => {
      if (failure === null) resolve(pipeline.results);
      else reject(failure);
    });
    client.query(pipeline);
  });
}
