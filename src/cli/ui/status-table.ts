import colors from 'picocolors';
import { box } from './table.ts';

type Group = readonly [title: string, rows: readonly (readonly [label: string, name: string])[]];

const groups: readonly Group[] = [
  ['Development Tools', [['Mailpit', 'MAILPIT_URL']]],
  [
    'APIs',
    [
      ['Project URL', 'API_URL'],
      ['REST', 'REST_URL'],
    ],
  ],
  ['Database', [['URL', 'DB_URL']]],
  [
    'Authentication Keys',
    [
      ['Publishable', 'PUBLISHABLE_KEY'],
      ['Secret', 'SECRET_KEY'],
    ],
  ],
  [
    'Storage (S3)',
    [
      ['URL', 'STORAGE_S3_URL'],
      ['Access Key', 'S3_PROTOCOL_ACCESS_KEY_ID'],
      ['Secret Key', 'S3_PROTOCOL_ACCESS_KEY_SECRET'],
      ['Region', 'S3_PROTOCOL_REGION'],
    ],
  ],
];

/** The values of `status` for people; groups without a value are left out. */
export function statusTable(values: Readonly<Record<string, string>>): string {
  return groups
    .flatMap(([title, rows]) => {
      const present = rows.flatMap(([label, name]) => {
        const value = values[name];
        const shown = value?.includes('://') ? colors.cyan(value) : colors.yellow(value ?? '');
        return value === undefined ? [] : [[colors.green(label), shown] as const];
      });
      return present.length === 0 ? [] : [box(colors.bold(title), present)];
    })
    .join('\n');
}
