/*
 * A text under a cursor, for hand-written recursive descent with the error reports of Parsec.
 *
 * Upstream's grammar is written in Parsec and its reports reach clients word for word ("unexpected "x" expecting
 * letter, digit or "->""), so which alternatives had been tried at the furthest position is part of the wire. The
 * rules that the reports follow:
 *
 *   - a step that consumes forgets what was expected before it;
 *   - a step that fails, or succeeds without consuming, adds what it expected; of two positions the further one wins;
 *   - an alternative is tried only when the one before failed without consuming, or was wrapped in `attempt`.
 *
 * Bookkeeping costs more than reading. A text is therefore first read without it, and only a text that fails is read
 * again with `explaining` on.
 */

/** What is known about a failure: where, what stood there, and what could have. */
type Report = {
  readonly at: number;
  /** The text found in place of a token; empty at the end of input, null when nothing says so. */
  readonly found: string | null;
  readonly unexpected: readonly string[];
  readonly expected: readonly string[];
};

/** A step of the grammar: a value, or null for failure. */
export type Step<T> = (reader: Reader) => T | null;

const isEmpty = (report: Report): boolean =>
  report.found === null && report.unexpected.length === 0 && report.expected.length === 0;

function merge(left: Report | null, right: Report | null): Report | null {
  if (left === null) return right;
  if (right === null) return left;
  if (isEmpty(right) && !isEmpty(left)) return left;
  if (isEmpty(left) && !isEmpty(right)) return right;
  if (left.at !== right.at) return left.at > right.at ? left : right;
  return {
    at: left.at,
    found: left.found ?? right.found,
    unexpected: [...left.unexpected, ...right.unexpected],
    expected: [...left.expected, ...right.expected],
  };
}

const maxDepth = 200;

/** The cursor. A class for its identity: every step of one parse shares and moves it. */
export class Reader {
  readonly text: string;
  readonly explaining: boolean;
  position = 0;
  #report: Report | null = null;
  #depth = 0;

  constructor(text: string, explaining: boolean) {
    this.text = text;
    this.explaining = explaining;
  }

  /** Code unit under the cursor; NaN at the end. */
  get code(): number {
    return this.text.charCodeAt(this.position);
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** Moves past consumed text; what was expected before it is forgotten. */
  advance(to: number): void {
    this.position = to;
    if (this.explaining) this.#report = null;
  }

  /** Reports that none of the named tokens stands at the cursor. */
  miss(...expected: readonly string[]): null {
    return this.missAt(this.position, this.position, expected);
  }

  /** Reports a token that starts at one offset and differs at another. */
  missAt(start: number, differs: number, expected: readonly string[]): null {
    if (this.explaining) {
      const code = this.text.codePointAt(differs);
      const found = code === undefined ? '' : showText(String.fromCodePoint(code));
      this.#report = merge(this.#report, { at: start, found, unexpected: [], expected });
    }
    return null;
  }

  /** Reports something that must not stand where it does. */
  refuse(at: number, unexpected: string): null {
    if (this.explaining) {
      this.#report = merge(this.#report, { at, found: null, unexpected: [unexpected], expected: [] });
    }
    return null;
  }

  /** One character. */
  char(code: number, shown: string): true | null {
    if (this.code === code) {
      this.advance(this.position + 1);
      return true;
    }
    return this.explaining ? this.miss(shown) : null;
  }

  /** A fixed text. It consumes what matches: wrap it in `attempt` where an alternative starts alike. */
  word(word: string): true | null {
    const start = this.position;
    if (this.text.startsWith(word, start)) {
      this.advance(start + word.length);
      return true;
    }
    let matched = 0;
    while (this.text[start + matched] === word[matched]) matched++;
    if (matched > 0) this.advance(start + matched);
    return this.explaining ? this.missAt(start, start + matched, [showText(word)]) : null;
  }

  /** Whether the text goes on with the word; `attempt(word)` without consuming. */
  sees(word: string): boolean {
    if (this.text.startsWith(word, this.position)) return true;
    if (this.explaining) {
      let matched = 0;
      while (this.text[this.position + matched] === word[matched]) matched++;
      this.missAt(this.position, this.position + matched, [showText(word)]);
    }
    return false;
  }

  /** Consumes a word when it stands here as a whole; otherwise the cursor stays. */
  take(word: string): boolean {
    if (!this.sees(word)) return false;
    this.advance(this.position + word.length);
    return true;
  }

  /** The end of the text. */
  end(): true | null {
    if (this.explaining) this.labelled('end of input', (reader) => reader.#end());
    return this.atEnd ? true : null;
  }

  #end(): true | null {
    const code = this.text.codePointAt(this.position);
    if (code === undefined) {
      this.miss();
      return true;
    }
    return this.refuse(this.position, showChar(String.fromCodePoint(code)));
  }

  /** Spaces and tabs, any number of them. */
  skipSpace(): void {
    let end = this.position;
    while (this.text.charCodeAt(end) === 32 || this.text.charCodeAt(end) === 9) end++;
    if (end > this.position) this.advance(end);
    if (this.explaining) this.miss();
  }

  /** Runs a step that puts the cursor back when it fails. */
  attempt<T>(step: Step<T>): T | null {
    const start = this.position;
    const before = this.#report;
    const value = step(this);
    if (value === null) {
      this.position = start;
      if (this.explaining) this.#report = merge(before, this.#report);
    }
    return value;
  }

  /** Runs a step that tells the reports one name in place of what it would expect itself. */
  labelled<T>(label: string, step: Step<T>): T | null {
    if (!this.explaining) return step(this);
    const before = this.#report;
    const start = this.position;
    this.#report = null;
    const value = step(this);
    if (this.position !== start) return value;
    const own = this.#report as Report | null;
    if (own !== null) this.#report = merge(before, { ...own, expected: [label] });
    else if (value !== null) this.#report = before;
    else this.#report = merge(before, { at: start, found: null, unexpected: [], expected: [label] });
    return value;
  }

  /** Repeats a step until it fails without consuming; null when it fails in its middle. */
  many<T>(step: Step<T>, into: T[] = []): T[] | null {
    for (let first = true; ; first = false) {
      const start = this.position;
      // What the previous round could have gone on with is not reported.
      if (this.explaining && !first) this.#report = null;
      const value = step(this);
      if (value === null) return this.position === start ? into : null;
      into.push(value);
    }
  }

  /** A separated list with at least one item. */
  separated<T>(item: Step<T>, separator: Step<true>): T[] | null {
    const first = item(this);
    if (first === null) return null;
    return this.many((reader) => (separator(reader) === null ? null : item(reader)), [first]);
  }

  /** Runs a step that may contain itself; nesting that would exhaust the stack is refused. */
  nested<T>(step: Step<T>): T | null {
    if (this.#depth === maxDepth) return this.refuse(this.position, 'nesting of so many levels');
    this.#depth++;
    const value = step(this);
    this.#depth--;
    return value;
  }

  /** The report of the failure, as `[position, description]`. */
  explain(): readonly [position: string, description: string] {
    const report = this.#report ?? { at: this.position, found: null, unexpected: [], expected: [] };
    return [describePosition(this.text, report.at), describe(report)];
  }
}

/** Reads a text whole in one go: a value, or Parsec's account of what is wrong with it. */
export function read<T>(
  text: string,
  step: Step<T>,
): { readonly value: T } | { readonly position: string; readonly description: string } {
  const value = step(new Reader(text, false));
  if (value !== null) return { value };
  const reader = new Reader(text, true);
  step(reader);
  const [position, description] = reader.explain();
  return { position, description };
}

function describePosition(text: string, at: number): string {
  let line = 1;
  let column = 1;
  for (const char of text.slice(0, at)) {
    if (char === '\n') {
      line++;
      column = 1;
    } else if (char === '\t') column += 8 - ((column - 1) % 8);
    else column++;
  }
  return `(line ${line}, column ${column})`;
}

function describe({ found, unexpected, expected }: Report): string {
  const lines: string[] = [];
  const surprises = distinct(unexpected);
  if (surprises.length > 0) lines.push(`unexpected ${enumerate(surprises)}`);
  else if (found !== null) lines.push(`unexpected ${found === '' ? 'end of input' : found}`);
  const wishes = distinct(expected);
  if (wishes.length > 0) lines.push(`expecting ${enumerate(wishes)}`);
  return lines.length === 0 ? 'unknown parse error' : lines.join(' ');
}

const distinct = (items: readonly string[]): string[] => [...new Set(items)].filter((item) => item !== '');

const enumerate = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;

const controlNames = [
  ...['NUL', 'SOH', 'STX', 'ETX', 'EOT', 'ENQ', 'ACK', 'a', 'b', 't', 'n', 'v', 'f', 'r', 'SO', 'SI'],
  ...[
    'DLE',
    'DC1',
    'DC2',
    'DC3',
    'DC4',
    'NAK',
    'SYN',
    'ETB',
    'CAN',
    'EM',
    'SUB',
    'ESC',
    'FS',
    'GS',
    'RS',
    'US',
  ],
];

/** A character between quotes, in Haskell's notation, which escapes all but printable ASCII. */
function showInside(text: string, quote: string): string {
  let shown = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (char === quote || char === '\\') shown += `\\${char}`;
    else if (code < 32) shown += `\\${controlNames[code]}`;
    else if (code === 127) shown += '\\DEL';
    else if (code > 127) shown += `\\${code}`;
    else shown += char;
  }
  return shown;
}

const showText = (text: string): string => `"${showInside(text, '"')}"`;
const showChar = (char: string): string => `'${showInside(char, "'")}'`;
