/** Exit codes of every command; scripts rely on them. */
export const exitCode = {
  ok: 0,
  /** The command line or the configuration is wrong, or the command could not do its work. */
  failed: 1,
  /** `start`: the instance did not come up. */
  startFailed: 2,
  /** `start`: requests were still running when the time to drain was over. */
  drainTimedOut: 3,
} as const;

/** Ends a command with a message for people and an exit code; the message needs no stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly code: number;

  constructor(message: string, code: number = exitCode.failed, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Errors whose message says all that a person needs; others are faults of ours and show their stack. */
const TELLING = new Set([
  'CommandFailure',
  'ConfigError',
  'InvalidConfig',
  'EmbeddedError',
  'MigrationError',
  'BootstrapFailure',
  'PgFailure',
  'RangeError',
  'TargetFailure',
]);

/** What is printed about an error that ended a command. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isListenFailure(error)) return describeListenFailure(error);
  // What the system refuses (a folder that may not be written to, a disk that is full) is the user's to mend.
  if ('syscall' in error) return error.message;
  return TELLING.has(error.name) ? error.message : (error.stack ?? error.message);
}

type ListenFailure = Error & { readonly code: string; readonly address?: string; readonly port?: number };

const isListenFailure = (error: Error): error is ListenFailure =>
  'syscall' in error && error.syscall === 'listen' && 'code' in error;

function describeListenFailure({ address, code, port }: ListenFailure): string {
  const place = `${address ?? ''}${port === undefined ? '' : `:${port}`}`;
  if (code === 'EADDRINUSE') return `${place} is taken by another process: stop it, or choose another port.`;
  if (code === 'EACCES') return `${place} may not be listened on by this user: choose another port.`;
  return `${place} cannot be listened on (${code}).`;
}
