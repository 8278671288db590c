import { createInterface } from 'node:readline/promises';
import { speaksJson } from './output.ts';

/** Asks a yes-or-no question on a terminal; without one, and where a program listens, the answer is no. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || speaksJson()) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
