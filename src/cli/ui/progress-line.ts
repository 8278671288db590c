import colors from 'picocolors';
import { speaksJson } from './output.ts';
import { clip } from './text-width.ts';

/** How far long work is. */
export type ProgressState = {
  /** What is done, e.g. `Reading files`. */
  readonly label: string;
  readonly done?: number;
  /** How much there is; without it a count is shown and no bar, and without either nothing. */
  readonly total?: number;
  /** What is at hand, shortened to what fits. */
  readonly item?: string;
};

/** The part of a stream that is drawn on. */
export type Terminal = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
};

const MAX_BAR = 24;
/** A shorter bar says less than the numbers beside it. */
const MIN_BAR = 6;
const DEFAULT_COLUMNS = 80;
const ERASE_LINE = '\r\u001b[2K';

/** Whether a line is drawn at the moment. */
const drawnOn = new WeakSet<Terminal>();

/**
 * Draws the state in the last line of a terminal, in place of what stands there. Files, pipes and terminals that cannot
 * erase (`TERM=dumb`) get nothing, and nobody does where a program listens.
 */
export function showProgress(state: ProgressState, terminal: Terminal = process.stderr): void {
  if (terminal.isTTY !== true || process.env.TERM === 'dumb' || speaksJson()) return;
  drawnOn.add(terminal);
  // Some pseudo terminals say that they are 0 wide.
  terminal.write(`${ERASE_LINE}${progressText(state, terminal.columns || DEFAULT_COLUMNS)}`);
}

/** Takes the drawn line away, before something else is printed and at the end of the work. */
export function clearProgress(terminal: Terminal = process.stderr): void {
  if (drawnOn.delete(terminal)) terminal.write(ERASE_LINE);
}

/** Takes away what the terminal has written of a Ctrl-C. */
export function eraseInterrupt(terminal: Terminal = process.stderr): void {
  drawnOn.delete(terminal);
  if (terminal.isTTY === true && process.env.TERM !== 'dumb' && !speaksJson()) terminal.write(ERASE_LINE);
}

function progressText({ label, done, total, item = '' }: ProgressState, columns: number): string {
  // A line that wraps could not be taken away again; a terminal may write ^C behind it.
  const room = columns - 3;
  const count = total === undefined ? String(done ?? '') : `${done ?? 0}/${total}`;
  const bar =
    total === undefined ? '' : barOf(done ?? 0, total, room - label.length - count.length - 2, columns);
  const head = [label, bar, count].filter(Boolean).join(' ');
  if (head.length > room) return clip(head, room);
  const detail = clip(printable(item), room - head.length - 1);
  const shown = bar === '' ? head : head.replace(bar, colors.cyan(bar));
  return detail === '' ? shown : `${shown} ${colors.dim(detail)}`;
}

/** Takes a third of a line at most, so that something else can be read on it. */
function barOf(done: number, total: number, room: number, columns: number): string {
  const width = Math.min(MAX_BAR, room, Math.floor(columns / 3));
  if (width < MIN_BAR) return '';
  const filled = Math.round((width * Math.min(done, total)) / Math.max(total, 1));
  return '━'.repeat(filled) + '─'.repeat(width - filled);
}

/** Names of files may hold anything; what a terminal obeys is not shown. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');
