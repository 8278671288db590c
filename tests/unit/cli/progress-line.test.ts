import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { speakJson } from '../../../src/cli/ui/output.ts';
import { clearProgress, showProgress } from '../../../src/cli/ui/progress-line.ts';
import { textWidth } from '../../../src/cli/ui/text-width.ts';

/** A terminal of some width that keeps what is written to it. */
function createTerminal(columns: number, isTTY = true) {
  const written: string[] = [];
  return { isTTY, columns, write: (text: string) => written.push(text), written };
}

/** The line as a person sees it. */
const seen = (state: Parameters<typeof showProgress>[0], columns = 80): string => {
  const terminal = createTerminal(columns);
  showProgress(state, terminal);
  return stripVTControlCharacters(terminal.written.join('')).replace('\r', '');
};

describe('the line of progress', () => {
  it('fills a bar as the work goes on, and names what is at hand', () => {
    expect(seen({ label: 'Reading', done: 0, total: 4 })).toBe(`Reading ${'─'.repeat(24)} 0/4`);
    expect(seen({ label: 'Reading', done: 2, total: 4, item: 'a.ts' })).toBe(
      `Reading ${'━'.repeat(12)}${'─'.repeat(12)} 2/4 a.ts`,
    );
    expect(seen({ label: 'Reading', done: 4, total: 4 })).toBe(`Reading ${'━'.repeat(24)} 4/4`);
  });

  it('counts where nobody knows how much there is', () => {
    expect(seen({ label: 'Dumping', done: 7, item: 'posts' })).toBe('Dumping 7 posts');
  });

  it('is full and not longer when more comes than was announced, or nothing was', () => {
    expect(seen({ label: '', done: 9, total: 4 })).toBe(`${'━'.repeat(24)} 9/4`);
    expect(seen({ label: '', done: 0, total: 0 })).toBe(`${'─'.repeat(24)} 0/0`);
  });

  it.each([80, 50, 40, 20, 12, 5])('never wraps in %i columns, not even with ^C behind it', (columns) => {
    const long = {
      label: 'Checking objects',
      done: 10,
      total: 900,
      item: 'a/very/long/path/to/some/file.ts',
    };
    const wide = { ...long, item: '日本語のとても長いファイル名'.repeat(4) };
    expect(seen(long, columns).length).toBeLessThanOrEqual(columns - 3);
    expect(textWidth(seen(wide, columns))).toBeLessThanOrEqual(columns - 3);
    expect(seen({ label: 'Checking objects' }, columns).length).toBeLessThanOrEqual(columns - 3);
  });

  it('shortens what is at hand first, then the bar, then drops both', () => {
    const state = { label: 'Reading', done: 1, total: 9, item: 'a/very/long/path/to/some/file.ts' };
    expect(seen(state, 50)).toBe(`Reading ${'━'.repeat(2)}${'─'.repeat(14)} 1/9 a/very/long/path/…`);
    expect(seen(state, 30)).toBe(`Reading ━${'─'.repeat(9)} 1/9 a/v…`);
    expect(seen(state, 16)).toBe('Reading 1/9');
  });

  it('names work that cannot be counted', () => {
    expect(seen({ label: 'Removing' })).toBe('Removing');
  });

  it('draws over what stands there, and can be taken away', () => {
    const terminal = createTerminal(80);
    showProgress({ label: 'Reading', done: 1, total: 2 }, terminal);
    clearProgress(terminal);
    expect(terminal.written[0]).toSatisfy((text: string) => text.startsWith('\r\u001b[2K'));
    expect(terminal.written[1]).toBe('\r\u001b[2K');
  });

  it('writes nothing to a file or a pipe', () => {
    const pipe = createTerminal(80, false);
    showProgress({ label: 'Reading', done: 1, total: 2 }, pipe);
    clearProgress(pipe);
    expect(pipe.written).toEqual([]);
  });

  it('shows nothing of a name that a terminal would obey', () => {
    const terminal = createTerminal(80);
    showProgress({ label: 'Reading', item: 'a\n\u001b[2Jb' }, terminal);
    expect(stripVTControlCharacters(terminal.written.join(''))).toBe('\rReading a??[2Jb');
  });

  it('is not taken away where none is drawn: something else may stand there', () => {
    const terminal = createTerminal(80);
    clearProgress(terminal);
    expect(terminal.written).toEqual([]);
  });

  it('is not drawn on a terminal that cannot erase, nor where a program listens', () => {
    const terminal = createTerminal(80);
    vi.stubEnv('TERM', 'dumb');
    showProgress({ label: 'Reading', done: 1, total: 2 }, terminal);
    vi.unstubAllEnvs();
    speakJson(true);
    showProgress({ label: 'Reading', done: 1, total: 2 }, terminal);
    speakJson(false);
    expect(terminal.written).toEqual([]);
  });
});
