import { caseLine } from '../../compat/report/terminal.ts';
import type { Progress } from '../../compat/run/run-suite.ts';
import { note, speaksJson } from './output.ts';
import { clearProgress, showProgress } from './progress-line.ts';

/** Shows a run of the suite on standard error: one moving line on a terminal, failures everywhere. */
export function createCompatProgress(label = ''): (progress: Progress) => void {
  if (speaksJson()) return () => {};
  let total = 0;
  let finished = 0;
  let failed = 0;
  return (progress) => {
    switch (progress.kind) {
      case 'preparing':
        showProgress({ label: `${label}Making tables, policies and buckets` });
        return;
      case 'started':
        clearProgress();
        total = progress.total;
        note(`${label}${total} cases`);
        return;
      case 'finished':
        finished += 1;
        if (progress.result.outcome === 'failed') {
          failed += 1;
          clearProgress();
          note(caseLine(progress.result));
        }
        showProgress({
          label: `${label}${failed > 0 ? `${failed} failed ` : ''}`.trimEnd(),
          done: finished,
          total,
          item: progress.result.id,
        });
        return;
      case 'removing':
        showProgress({ label: `${label}Removing what the run made` });
        return;
      case 'removed':
        clearProgress();
    }
  };
}
