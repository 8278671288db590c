import { stripVTControlCharacters } from 'node:util';
import { describeError } from '../exit.ts';

/*
 * How every command speaks. Without --json it is text for people: what was asked for on standard output, all else on
 * standard error. With --json both are for programs: standard output holds one JSON document, or, where a command goes
 * on and on, one per line; standard error holds lines of the form of the log, `{"level", "time", ..., "msg"}`, and
 * when the command failed the last one has the level `error` and the exit code.
 */

let asJson = false;

/** Decides how this process speaks; text by default. */
export function speakJson(wanted: boolean): void {
  asJson = wanted;
}

/** Whether this process speaks JSON. */
export const speaksJson = (): boolean => asJson;

type Fields = Readonly<Record<string, unknown>>;

/** Says something beside the result; `mark` stands before it for people alone. */
export function note(text: string, { mark = '', ...fields }: Fields & { readonly mark?: string } = {}): void {
  say('info', text, mark, fields);
}

/** As `note`, about what may be a mistake. */
export function warn(text: string, { mark = '', ...fields }: Fields & { readonly mark?: string } = {}): void {
  say('warn', text, mark, fields);
}

/** Says how a command failed; `stack` shows where the error came from. */
export function printFailure(error: unknown, exitCode: number, stack: boolean): void {
  const text = describeError(error);
  const trace = stack && error instanceof Error ? error.stack : undefined;
  if (asJson) {
    process.stderr.write(
      logLine('error', text, { exitCode, ...(trace === undefined ? {} : { stack: trace }) }),
    );
  } else {
    process.stderr.write([text, ...(trace === undefined ? [] : [trace])].map((line) => `${line}\n`).join(''));
  }
}

/** Tells how a command ended: the facts on standard output, or a line for people on standard error. */
export function printEnd(facts: unknown, line: string): void {
  if (asJson) printJson(facts);
  else process.stderr.write(`${line}\n`);
}

/** Prints what was asked for on standard output; `text` is made only for people. */
export function printResult(facts: unknown, text: () => string): void {
  if (asJson) printJson(facts);
  else process.stdout.write(text());
}

/** Prints one of many results, each on a line of its own. */
export function printItem(facts: unknown, line: () => string): void {
  process.stdout.write(`${asJson ? JSON.stringify(facts) : line()}\n`);
}

/** Prints a stage of a command that goes on, as a line of the log on standard output; people get the text. */
export function printStage(msg: string, fields: Fields, text: () => void): void {
  if (asJson) process.stdout.write(logLine('info', msg, fields));
  else text();
}

function printJson(facts: unknown): void {
  process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
}

function say(level: 'info' | 'warn', text: string, mark: string, fields: Fields): void {
  process.stderr.write(asJson ? logLine(level, text, fields) : `${mark}${text}\n`);
}

const logLine = (level: 'info' | 'warn' | 'error', text: string, fields: Fields): string =>
  `${JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg: stripVTControlCharacters(text).trim() })}\n`;
