/** The value that this share of the values does not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

/** One line of the report: what was measured, what came out, what it should be. */
export function line(name: string, figure: string, target: string, isMet: boolean): void {
  process.stdout.write(
    `${name.padEnd(58)} ${figure.padStart(26)}   ${target.padEnd(22)} ${isMet ? 'yes' : 'NO'}\n`,
  );
}

/** Milliseconds with one digit. */
export const inMs = (value: number): string => `${value.toFixed(1)} ms`;
