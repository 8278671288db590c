/** Formats of `status` and `keys`. */
export const formats = ['pretty', 'env', 'json', 'toml', 'yaml'] as const;

/** One of the formats. */
export type Format = (typeof formats)[number];

/** The values sorted by name. */
export const sortedValues = (values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * Writes values for programs, sorted by name. Each format quotes so that a parser gives the same text back.
 * Upstream: supabase/cli apps/cli-go/internal/utils/output.go
 */
export function encodeValues(
  values: Readonly<Record<string, string>>,
  format: Exclude<Format, 'pretty'>,
): string {
  const sorted = Object.entries(sortedValues(values));
  switch (format) {
    case 'json':
      return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`;
    case 'env':
      return lines(sorted, (name, value) => `${name}="${value.replaceAll(/["\\$`]/g, '\\$&')}"`);
    case 'toml':
      return lines(sorted, (name, value) => `${name} = ${JSON.stringify(value)}`);
    case 'yaml':
      return lines(sorted, (name, value) => `${name}: ${JSON.stringify(value)}`);
  }
}

const lines = (
  entries: readonly (readonly [string, string])[],
  line: (name: string, value: string) => string,
): string => entries.map(([name, value]) => `${line(name, value)}\n`).join('');
