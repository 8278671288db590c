import colors from 'picocolors';

/** How far long work is. */
export type ProgressState = {
  /** What is done, e.g. `Reading files`. */
  readonly label: string;
  readonly done: number;
  /** How much there is; without it a count is shown and no bar. */
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

const BAR_WIDTH = 24;
const DEFAULT_COLUMNS = 80;

/** Draws the state in the last line of a terminal, in place of what stands there; files and pipes get nothing. */
export function showProgress(state: ProgressState, terminal: Terminal = process.stderr): void {
  if (terminal.isTTY !== true) return;
  // Some pseudo terminals say that they are 0 wide.
  const columns = terminal.columns || DEFAULT_COLUMNS;
  terminal.write(`\r\u001b[2K${progressText(state, columns)}`);
}

/** Takes the drawn line away, before something else is printed and at the end of the work. */
export function clearProgress(terminal: Terminal = process.stderr): void {
  if (terminal.isTTY === true) terminal.write('\r\u001b[2K');
}

function progressText({ label, done, total, item = '' }: ProgressState, columns: number): string {
  const filled =
    total === undefined ? 0 : Math.round((BAR_WIDTH * Math.min(done, total)) / Math.max(total, 1));
  const bar = total === undefined ? '' : '━'.repeat(filled) + '─'.repeat(BAR_WIDTH - filled);
  const head = [label, bar, total === undefined ? `${done}` : `${done}/${total}`].filter(Boolean).join(' ');
  // A line that wraps could not be taken away again.
  const room = Math.max(0, columns - 1 - head.length - 1);
  const detail = item.length > room ? item.slice(0, Math.max(0, room - 1)) + (room > 0 ? '…' : '') : item;
  const shown = bar === '' ? head : head.replace(bar, colors.cyan(bar));
  return detail === ''
    ? shown.slice(0, bar === '' ? columns - 1 : undefined)
    : `${shown} ${colors.dim(detail)}`;
}
