import type { AdminClient } from '../../pg/connect.ts';
import { PgFailure } from '../../pg/failure.ts';
import type { Sql } from '../../pg/sql/sql.ts';
import { statementFailed } from './error.ts';
import { type ExtensionRules, extensionAction } from './extensions.ts';
import type { Script } from './project-files.ts';
import { dependentsOf } from './skipped-dependents.ts';
import { kindOf } from './statement-kind.ts';
import { toleranceOf } from './tolerated.ts';

/** How scripts are applied to a database. */
export type ApplyRules = ExtensionRules & {
  /** On a fresh database nobody waits for a lock: CONCURRENTLY is dropped and the file stays one transaction. */
  readonly dropConcurrently: boolean;
  /** Names of what could not be made because an extension was skipped; grows while scripts are applied. */
  readonly lost: Set<string>;
  readonly notice: (text: string) => void;
};

/** One thing to send to the server. */
type Step = {
  /** 0-based statement of the script that it carries out. */
  readonly index: number;
  readonly send: Sql | string;
  /** COMMIT or ROLLBACK of the script itself: our own transaction begins anew behind it. */
  readonly endsTransaction: boolean;
  readonly mayFail: ((failure: PgFailure) => boolean) | undefined;
};

type Plan = { readonly steps: readonly Step[]; readonly inTransaction: boolean };

/**
 * Applies a script and records it, in one transaction; when a statement fails nothing of it stays. A script with
 * a statement that Postgres bars from transactions runs statement by statement instead, as its author would run it.
 * Upstream: supabase/cli apps/cli-go/pkg/migration/file.go (ExecBatch)
 * @throws MigrationError `statement_failed`
 */
export async function applyScript(
  client: AdminClient,
  script: Script,
  record: Sql | null,
  rules: ApplyRules,
): Promise<void> {
  // A script may change settings of the session (dumps empty the search_path): each starts with the login's own.
  await client.exec('reset all');
  const plan = planScript(script, rules);
  let index = 0;
  try {
    if (plan.inTransaction) await client.exec('begin');
    for (const step of plan.steps) {
      index = step.index;
      await runStep(client, step, plan.inTransaction, rules.notice);
    }
    index = script.statements.length;
    if (record) await client.query(record);
    if (plan.inTransaction) await client.exec('commit');
  } catch (error) {
    if (!(error instanceof PgFailure)) throw error;
    if (error.kind === 'server') await client.exec('rollback');
    const { path, text, statements } = script;
    const notes = notesFor(error, plan, rules);
    throw statementFailed({ file: path, script: text, statements, index, failure: error, notes });
  }
}

async function runStep(
  client: AdminClient,
  step: Step,
  inTransaction: boolean,
  notice: (text: string) => void,
): Promise<void> {
  const guarded = inTransaction && step.mayFail !== undefined;
  if (guarded) await client.exec('savepoint ownbase_tolerated');
  try {
    if (typeof step.send === 'string') await client.exec(step.send);
    else await client.query(step.send);
  } catch (error) {
    if (!(error instanceof PgFailure) || !step.mayFail?.(error)) throw error;
    if (guarded) await client.exec('rollback to savepoint ownbase_tolerated');
    notice(`statement ${step.index} passed over: ${error.message}`);
  }
  if (guarded) await client.exec('release savepoint ownbase_tolerated');
  if (step.endsTransaction && inTransaction) await client.exec('begin');
}

function planScript(script: Script, rules: ApplyRules): Plan {
  const kinds = script.statements.map(({ text }) => kindOf(text));
  const inTransaction = kinds.every(
    (kind) => kind.kind !== 'no-transaction' || (rules.dropConcurrently && kind.inTransaction !== null),
  );
  const steps = script.statements.flatMap(({ text }, index) => {
    const kind = kinds[index];
    const step = (send: Sql | string): Step => ({
      index,
      send,
      endsTransaction: kind?.kind === 'ends-transaction',
      mayFail: toleranceOf(text) ?? (rules.skipped.size > 0 ? dependentsOf(text, rules.lost) : undefined),
    });
    if (kind?.kind === 'no-transaction' && inTransaction) return [step(kind.inTransaction ?? text)];
    if (kind?.kind !== 'extension') return [step(text)];
    const action = extensionAction(kind, rules);
    if (action === 'pass-over') {
      rules.notice(`extension ${kind.names.join(', ')} is not on this server: ${kind.action} passed over`);
      return [];
    }
    return action === 'as-written' ? [step(text)] : action.map(step);
  });
  return { steps, inTransaction };
}

const UNDEFINED_OBJECT = '42704';

/** Lines that help with errors of which the cause is not in the statement. */
function notesFor(failure: PgFailure, plan: Plan, rules: ApplyRules): string[] {
  const notes: string[] = [];
  const type = /^type "([^".]+)" does not exist$/.exec(failure.message)?.[1];
  if (failure.sqlstate === UNDEFINED_OBJECT && type !== undefined) {
    notes.push(
      rules.skipped.has(type)
        ? `Hint: the type comes from the extension "${type}", which was skipped because this Postgres lacks it.`
        : `Hint: the type may be in a schema that is not in the search_path; name it with its schema, e.g. extensions.${type}.`,
    );
  }
  if (!plan.inTransaction) {
    notes.push(
      'Note: the file holds a statement that cannot run in a transaction, so what precedes this statement stays applied.',
    );
  }
  return notes;
}
