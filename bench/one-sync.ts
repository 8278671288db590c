import { createHash } from 'node:crypto';
import type { Client, Submittable } from 'pg';

/** One statement of a trip: named, so that it is parsed once per connection. */
export type Fixed = { readonly text: string; readonly values: readonly (string | null)[] };

type Wire = {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { name: string; text: string }): void;
  bind(message: { portal: string; statement: string; values: readonly unknown[] }): void;
  execute(message: { portal: string; rows: number }): void;
  sync(): void;
};

const names = new Map<string, string>();
const nameOf = (text: string): string => {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = createHash('sha1').update(text).digest('hex');
  names.set(text, name);
  return name;
};

const parsed = new WeakMap<object, Set<string>>();

/**
 * The least code that sends several statements under one Sync through node-postgres. It is the yardstick of the
 * bench and shares nothing with the product's own pipeline, so that a change there cannot move the yardstick.
 */
class OneSync implements Submittable {
  readonly #statements: readonly Fixed[];
  readonly #client: Client;
  readonly #done: (error: Error | null, rows: readonly (string | null)[][]) => void;
  readonly #rows: (string | null)[][] = [];

  constructor(client: Client, statements: readonly Fixed[], done: OneSync['settle']) {
    this.#client = client;
    this.#statements = statements;
    this.#done = done;
  }

  readonly settle = (error: Error | null, rows: readonly (string | null)[][]): void =>
    this.#done(error, rows);

  submit(connection: unknown): void {
    const wire = connection as Wire;
    const known = parsed.get(this.#client) ?? new Set<string>();
    parsed.set(this.#client, known);
    wire.stream.cork();
    for (const { text, values } of this.#statements) {
      const name = nameOf(text);
      if (!known.has(name)) {
        wire.parse({ name, text });
        known.add(name);
      }
      wire.bind({ portal: '', statement: name, values });
      wire.execute({ portal: '', rows: 0 });
    }
    wire.sync();
    wire.stream.uncork();
  }

  handleDataRow(message: { fields: (string | null)[] }): void {
    this.#rows.push(message.fields);
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleError(error: Error): void {
    this.settle(error, []);
  }
  handleReadyForQuery(): void {
    this.settle(null, this.#rows);
  }
}

/** Sends the statements in one round trip and yields the rows of all of them. */
export function oneSync(client: Client, statements: readonly Fixed[]): Promise<readonly (string | null)[][]> {
  return new Promise((resolve, reject) => {
    client.query(
      new OneSync(client, statements, (error, rows) => (error === null ? resolve(rows) : reject(error))),
    );
  });
}
