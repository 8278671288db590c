import type { Observer } from '../../core/observe.ts';
import type { RequestDb, Transaction } from '../../pg/session.ts';
import { compile } from '../../pg/sql/sql.ts';

/** Reports the text of every statement that requests run, and how it went; values are not part of it. */
export function withQueryLog(db: RequestDb, observer: Observer): RequestDb {
  const report = (level: 'info' | 'warn', text: string): void =>
    observer({ kind: 'notice', service: 'rest', level, message: 'query', fields: { sql: text } });
  const reported = async <T>(texts: readonly string[], running: Promise<T>): Promise<T> => {
    try {
      const result = await running;
      for (const text of texts) report('info', text);
      return result;
    } catch (failure) {
      for (const text of texts) report('warn', text);
      throw failure;
    }
  };
  const reporting = (tx: Transaction): Transaction => ({
    query: (statement) => reported([compile(statement).text], tx.query(statement)),
    execute: (statement) => reported([compile(statement).text], tx.execute(statement)),
    text: (statement) => reported([statement.text], tx.text(statement)),
  });
  return {
    ...db,
    run: (scope, statements) =>
      reported(
        statements.map(({ text }) => text),
        db.run(scope, statements),
      ),
    transaction: (scope, work) => db.transaction(scope, (tx) => work(reporting(tx))),
  };
}
