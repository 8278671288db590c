import type { SchemaChange } from './compare.ts';

/** Functions may name what is made after them, so that their bodies are not checked while they are made. */
const HEAD = 'SET check_function_bodies = false;\n\n';

/** The statements of a change as one script, which a migration can hold; empty when nothing changes. */
export function toScript({ statements, notes }: SchemaChange): string {
  if (statements.length === 0) return '';
  const remarks = notes.map((note) => `-- NOTE: ${note}\n`).join('');
  return `${remarks}${HEAD}${statements.map((statement) => `${statement};\n`).join('\n')}`;
}
