/**
 * Tells how a command ended: a line for people on standard error, or the facts as JSON on standard output, where
 * programs read them.
 */
export function printResult(asJson: boolean | undefined, facts: unknown, line: string): void {
  if (asJson === true) process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
  else process.stderr.write(`${line}\n`);
}
