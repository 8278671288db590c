import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { clearProgress, showProgress } from '../../../src/cli/ui/progress-line.ts';

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

  it('never wraps: a wrapped line could not be drawn over', () => {
    const long = { label: 'Reading', done: 1, total: 9, item: 'a/very/long/path/to/some/file.ts' };
    expect(seen(long, 50)).toHaveLength(49);
    expect(seen(long, 50)).toMatch(/…$/);
    expect(seen(long, 30).length).toBeLessThan(40);
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
});
