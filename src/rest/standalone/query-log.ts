import type { Observer } from '../../core/observe.ts';
import type { RequestDb, Transaction } from '../../pg/session.ts';
import { compile } from '../../pg/sql/sql.ts';

/** Reports the text of every statement that requests run; values are not part of it. */
export function withQueryLog(db: RequestDb, observer: Observer): RequestDb {
  const report = (sql: string): void =>
    observer({ kind: 'notice', service: 'rest', level: 'info', message: 'query', fields: { sql } });
  const reporting = (tx: Transaction): Transaction => ({
    query(statement) {
      report(compile(statement).text);
      return tx.query(statement);
    },
    execute(statement) {
      report(compile(statement).text);
      return tx.execute(statement);
    },
    text(statement) {
      report(statement.text);
      return tx.text(statement);
    },
  });
  return {
    ...db,
    run(scope, statements) {
      for (const { text } of statements) report(text);
      return db.run(scope, statements);
    },
    transaction: (scope, work) => db.transaction(scope, (tx) => work(reporting(tx))),
  };
}
