import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { AuthError } from '../src/auth/errors.ts';
import { joinReason, refusals, refusalText, upgradeRefusal } from '../src/realtime/errors.ts';
import { type RestError, restErrors } from '../src/rest/errors.ts';
import { STORAGE_ERRORS } from '../src/storage/error-table.ts';
import { StorageError, type StorageErrorName } from '../src/storage/errors.ts';
import { toWire } from '../src/storage/failures.ts';

/*
 * Writes docs/errors.md from the error tables of the services; with --check it only says whether the file is up to
 * date.
 */
const file = new URL('../docs/errors.md', import.meta.url);

/** Stands for whatever a message is made from: reads, calls and texts of it yield an ellipsis. */
const anything: unknown = new Proxy(() => anything, {
  get: (_, key) => {
    if (key === Symbol.toPrimitive || key === 'toString' || key === 'toJSON') return () => '…';
    if (key === Symbol.iterator) return () => [anything][Symbol.iterator]();
    return anything;
  },
});

/** Calls an entry of a table with placeholders. */
const sample = (make: unknown): unknown => {
  if (typeof make !== 'function') throw new TypeError('an entry of an error table is a function');
  return make(anything, anything, anything, anything);
};

const cell = (value: unknown): string =>
  String(value ?? '')
    .replaceAll('|', '\\|')
    .replaceAll(/\s+/g, ' ');
const code = (text: unknown): string =>
  text === null || text === undefined || text === '' ? '' : `\`${cell(text)}\``;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const unique = [...new Set(rows.map((row) => `| ${row.join(' | ')} |`))];
  return [`| ${header.join(' | ')} |`, `|${header.map(() => '---').join('|')}|`, ...unique].join('\n');
}

const textOf = (value: unknown): string => (value === anything ? '…' : String(value ?? ''));

const restRows = Object.values(restErrors)
  .map((make) => sample(make) as RestError)
  .map((error) => [
    code(error.code),
    String(error.status),
    cell(textOf(error.message)),
    cell(textOf(error.hint)),
  ]);

async function authRows(): Promise<readonly (readonly string[])[]> {
  const folder = new URL('../src/auth/failures/', import.meta.url);
  const rows: string[][] = [];
  for (const name of readdirSync(folder).sort()) {
    if (name === 'table.ts' || name === 'codes.ts') continue;
    const exported: Readonly<Record<string, unknown>> = await import(new URL(name, folder).href);
    for (const failures of Object.values(exported)) {
      if (typeof failures !== 'object' || failures === null) continue;
      for (const make of Object.values(failures)) {
        const error = sample(make);
        if (error instanceof AuthError)
          rows.push([code(error.code), String(error.status), cell(textOf(error.message))]);
      }
    }
  }
  return rows.sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0));
}

const storageRows = (Object.keys(STORAGE_ERRORS) as StorageErrorName[]).map((name) => {
  const error = new StorageError(name, '…');
  const { code: wire, status, label } = error.row;
  return [code(wire), String(toWire(error).status), String(status), code(label ?? wire), cell(error.message)];
});

const realtimeRows = (Object.keys(refusals) as (keyof typeof refusals)[]).map((name) => [
  code(joinReason(name).split(':')[0]),
  String(upgradeRefusal(name).status),
  cell(refusalText(name)),
]);

const page = `# Errors

<!-- Generated from the error tables in src by \`npm run docs\`. -->

Every error that the services answer with by themselves; \`…\` stands for what the request or the database brought. The
formats are upstream's, so that clients read them as they read Supabase's.

## REST

Body: \`{"code", "message", "details", "hint"}\`. What the database reports has its SQLSTATE as code; the status follows from
it as in PostgREST (23503 and 23505: 409, 42501: 403 or 401 without a token, 42P01 and 42883: 404, ...).

${table(['code', 'HTTP status', 'message', 'hint'], restRows)}

## Auth

Body: \`{"code": <HTTP status>, "error_code", "msg"}\`, or with \`X-Supabase-Api-Version: 2024-01-01\` \`{"code", "message"}\`; the
header \`x-sb-error-code\` has the code too. The OAuth endpoints answer \`{"error", "error_description"}\` as RFC 6749 says.

${table(['error_code', 'HTTP status', 'message'], await authRows())}

## Storage

Body: \`{"statusCode", "error", "message", "code"}\`. The object and bucket routes answer 400 for most failures and put the real
status into \`statusCode\`; the S3 and resumable routes answer the real status, S3 in its own XML.

${table(['code', 'HTTP status', 'statusCode', 'error', 'message'], storageRows)}

## Realtime

A refused join carries \`{"reason": "<code>: <message>"}\`; a refused upgrade of the connection answers the HTTP status with
\`{"error": "<message>"}\`.

${table(['code', 'HTTP status of an upgrade', 'message'], realtimeRows)}

## Command line

Exit codes: 0 done; 1 the command line or the configuration is wrong, or the command could not do its work; 2
\`ownbase start\` did not come up; 3 requests were still running when the time to drain was over.
`;

if (process.argv.includes('--check')) {
  let present = '';
  try {
    present = readFileSync(file, 'utf8');
  } catch {
    // Not there yet: out of date.
  }
  if (present !== page) {
    process.stderr.write('docs/errors.md is out of date: run `npm run docs`\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, page);
}
