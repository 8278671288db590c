import colors from 'picocolors';
import { caseLine } from '../../compat/report/terminal.ts';
import type { Progress } from '../../compat/run/run-suite.ts';

/** Shows a run of the suite on standard error: one moving line on a terminal, failures everywhere. */
export function createCompatProgress(label = ''): (progress: Progress) => void {
  const { stderr } = process;
  let total = 0;
  let finished = 0;
  let failed = 0;
  const move = (text: string): void => {
    if (stderr.isTTY) stderr.write(`\r\u001b[2K${text}`);
  };
  return (progress) => {
    switch (progress.kind) {
      case 'started':
        total = progress.total;
        stderr.write(`${label}${total} cases\n`);
        return;
      case 'finished':
        finished += 1;
        if (progress.result.outcome === 'failed') {
          failed += 1;
          move('');
          stderr.write(`${caseLine(progress.result)}\n`);
        }
        move(
          `${label}${finished}/${total} ${failed > 0 ? colors.red(`${failed} failed `) : ''}${colors.dim(progress.result.id)}`,
        );
        return;
      case 'removing':
        move(colors.dim('removing what the run made...'));
        move('');
    }
  };
}
