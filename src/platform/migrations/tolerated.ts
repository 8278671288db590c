import type { PgFailure } from '../../pg/failure.ts';
import { type Lexeme, lexemes } from './lexer.ts';

/**
 * Statements of dumped schemas that a database of ours cannot follow to the letter and need not: what they
 * would change is settled by the bootstrap. Such a statement may fail with these codes and is then passed over.
 */
type Tolerance = {
  readonly matches: (words: readonly string[], head: readonly Lexeme[]) => boolean;
  readonly sqlstates: readonly string[];
};

const INSUFFICIENT_PRIVILEGE = '42501';
const UNDEFINED_OBJECT = '42704';

/** Roles that belong to the platform, not to the project. */
const isReservedRole = (name: string | undefined): boolean =>
  name !== undefined && /^(supabase_|pgsodium_|dashboard_user$|pgbouncer$|pg_database_owner$)/.test(name);

const TOLERATED: readonly Tolerance[] = [
  {
    // Servers before 17 do not know the setting.
    matches: (words) => words[0] === 'set' && words[1] === 'transaction_timeout',
    sqlstates: [UNDEFINED_OBJECT],
  },
  {
    matches: (words, head) => words[0] === 'alter' && isReservedRole(newOwner(words, head)),
    sqlstates: [INSUFFICIENT_PRIVILEGE, UNDEFINED_OBJECT],
  },
  {
    matches: (words, head) =>
      words[0] === 'alter' && words[1] === 'default' && isReservedRole(head[words.indexOf('role') + 1]?.text),
    sqlstates: [INSUFFICIENT_PRIVILEGE, UNDEFINED_OBJECT],
  },
  {
    matches: (words, head) =>
      (words[0] === 'grant' || words[0] === 'revoke') && head.some(({ text }) => isReservedRole(text)),
    sqlstates: [UNDEFINED_OBJECT],
  },
  {
    matches: (words) => words[0] === 'comment' && (words[2] === 'extension' || words[2] === 'schema'),
    sqlstates: [INSUFFICIENT_PRIVILEGE, UNDEFINED_OBJECT],
  },
];

function newOwner(words: readonly string[], head: readonly Lexeme[]): string | undefined {
  const at = words.lastIndexOf('owner');
  return at > 0 && words[at + 1] === 'to' ? head[at + 2]?.text : undefined;
}

/** Whether a failure of a statement may be passed over; undefined for statements of which none may. */
export function toleranceOf(statement: string): ((failure: PgFailure) => boolean) | undefined {
  if (!/^(?:\s|--|\/\*|set|alter|grant|revoke|comment)/i.test(statement)) return undefined;
  const head = lexemes(statement);
  const words = head.map((lexeme) => (lexeme.kind === 'word' ? lexeme.text : ''));
  const found = TOLERATED.find(({ matches }) => matches(words, head));
  return found && ((failure) => found.sqlstates.includes(failure.sqlstate));
}
