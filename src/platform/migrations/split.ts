import { lex } from './lexer.ts';

/** One statement of a file. */
export type FileStatement = {
  /** As recorded in the history: without its semicolon and the space around it, comments kept. */
  readonly text: string;
  /** Where the text begins in the file. */
  readonly offset: number;
};

/**
 * Splits a script into statements. A semicolon ends one unless it stands in a quote, a comment, parentheses or
 * a `BEGIN ATOMIC ... END` body. psql's own commands at the start of a statement (`\restrict` in dumps) are
 * left out. A comment after the last semicolon counts as a statement.
 * Upstream: supabase/cli apps/cli-go/pkg/parser
 */
export function splitStatements(script: string): FileStatement[] {
  const statements: FileStatement[] = [];
  let start = 0;
  let skipTo = 0;
  let parentheses = 0;
  let bodies = 0;
  let previousWord = '';
  let isEmpty = true;

  const emit = (end: number): void => {
    const raw = script.slice(start, end);
    const text = raw.replace(/;+$/, '').trim();
    if (text !== '') statements.push({ text, offset: start + raw.indexOf(text) });
  };

  for (const { kind, start: at, end } of lex(script)) {
    if (at < skipTo || kind === 'space' || kind === 'comment') continue;
    const text = script.slice(at, end);
    if (kind === 'meta' && isEmpty && /\\[a-z]/i.test(text)) {
      skipTo = endOfLine(script, at);
      start = skipTo;
      continue;
    }
    isEmpty = false;
    const word = kind === 'word' ? text.toLowerCase() : '';
    bodies += bodyStep(word, previousWord, bodies);
    previousWord = word;
    if (text === '(') parentheses += 1;
    else if (text === ')') parentheses = Math.max(0, parentheses - 1);
    else if (text === ';' && parentheses === 0 && bodies === 0) {
      emit(end);
      start = end;
      isEmpty = true;
    }
  }
  emit(script.length);
  return statements;
}

/** How a word changes the depth of `BEGIN ATOMIC` bodies, in which `CASE` and `BEGIN` also wait for an `END`. */
function bodyStep(word: string, previousWord: string, depth: number): number {
  if (depth === 0) return word === 'atomic' && previousWord === 'begin' ? 1 : 0;
  if (word === 'case' || word === 'begin') return 1;
  return word === 'end' ? -1 : 0;
}

function endOfLine(text: string, from: number): number {
  const newline = text.indexOf('\n', from);
  return newline === -1 ? text.length : newline + 1;
}
