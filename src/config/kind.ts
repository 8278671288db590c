import type { z } from 'zod';

/** How a raw value (text of a flag or variable, or a TOML value) becomes a typed one. Throws `RangeError` with the rule. */
export type Kind<T> = {
  /** Word for help and docs: `integer`, `duration`, ... */
  readonly name: string;
  parse(raw: unknown): T;
  /** Text for help, docs and `config --print`. */
  print(value: T): string;
};

const fail = (rule: string): never => {
  throw new RangeError(rule);
};

/** Any text. */
export const string: Kind<string> = {
  name: 'string',
  parse: (raw) =>
    typeof raw === 'string' ? raw : typeof raw === 'number' ? String(raw) : fail('must be text'),
  print: (value) => JSON.stringify(value),
};

/** `true`/`false`, `1`/`0`, `yes`/`no`, `on`/`off`. */
export const boolean: Kind<boolean> = {
  name: 'boolean',
  parse(raw) {
    if (typeof raw === 'boolean') return raw;
    const word = String(raw).toLowerCase();
    if (['true', '1', 'yes', 'on', 't'].includes(word)) return true;
    if (['false', '0', 'no', 'off', 'f', ''].includes(word)) return false;
    return fail('must be true or false');
  },
  print: String,
};

/** A whole number within bounds. */
export const integer = (min = 0, max = Number.MAX_SAFE_INTEGER): Kind<number> => ({
  name: 'integer',
  parse(raw) {
    const value = typeof raw === 'number' ? raw : /^-?\d+$/.test(String(raw)) ? Number(raw) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      return fail(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  },
  print: String,
});

/** A share between nothing and everything, both excluded: `0.01`. */
export const share: Kind<number> = {
  name: 'share',
  parse(raw) {
    const value = Number(raw);
    return value > 0 && value < 1 ? value : fail('must be a number between 0 and 1');
  },
  print: String,
};

/** A TCP port; 0 lets the system choose. */
export const port: Kind<number> = { ...integer(0, 65_535), name: 'port' };

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  '': 1_000,
};

/** A span in milliseconds, written as Go writes durations (`1m30s`, `500ms`); a bare number counts seconds. */
export const duration: Kind<number> = {
  name: 'duration',
  parse(raw) {
    const text = String(raw).trim();
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h|)/g)].filter(
      (part) => part[0] !== '',
    );
    if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
      return fail('must be a duration such as 30s, 5m or 1h30m');
    }
    return parts.reduce((sum, part) => sum + Number(part[1]) * (unitMs[part[2] ?? ''] ?? 0), 0);
  },
  print: (ms) => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`),
};

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** A size in bytes, written with decimal (`20MB`) or binary (`50MiB`) units. */
export const bytes: Kind<number> = {
  name: 'bytes',
  parse(raw) {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(String(raw).trim());
    const unit = unitBytes[match?.[2]?.toLowerCase() ?? 'none'];
    if (match === null || unit === undefined) return fail('must be a size such as 50MiB or 20MB');
    return Math.floor(Number(match[1]) * unit);
  },
  print: (value) => (value % unitByteStep === 0 && value > 0 ? `${value / unitByteStep}MiB` : `${value}B`),
};
const unitByteStep = 1024 ** 2;

/** One of a few words. */
export const oneOf = <const T extends string>(...words: readonly T[]): Kind<T> => ({
  name: words.join('|'),
  parse: (raw) => words.find((word) => word === raw) ?? fail(`must be one of ${words.join(', ')}`),
  print: (value) => JSON.stringify(value),
});

/** A list of texts: a TOML array, or text split at commas. */
export const list: Kind<readonly string[]> = {
  name: 'list',
  parse(raw) {
    if (Array.isArray(raw)) return raw.map((item) => string.parse(item));
    return String(raw)
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  },
  print: (value) => JSON.stringify(value),
};

/** Text that is never printed or logged. */
export const secret: Kind<string> = { ...string, name: 'secret', print: () => '***' };

/** A whole TOML table (or JSON text in a variable), read by a zod schema; for names that the user chooses. */
export const table = <T>(schema: z.ZodType<T>): Kind<T> => ({
  name: 'table',
  parse(raw) {
    const result = schema.safeParse(typeof raw === 'string' ? JSON.parse(raw) : raw);
    if (result.success) return result.data;
    return fail(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  },
  print: (value) =>
    JSON.stringify(value, (key, item) => (/secret|token|password|pass$|key$/i.test(key) ? '***' : item)),
});

/** A value that may be absent: its default is null. */
export const optional = <T>(kind: Kind<T>): Kind<T | null> => ({
  name: kind.name,
  parse: (raw) => (raw === null || raw === '' ? null : kind.parse(raw)),
  print: (value) => (value === null ? '(unset)' : kind.print(value)),
});
