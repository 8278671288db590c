import colors from 'picocolors';
import type { Support } from '../scan/feature.ts';
import type { ScanResult, UsedFeature } from '../scan/scan.ts';

const marks: Readonly<Record<Support, string>> = {
  supported: colors.green('✓'),
  differs: colors.yellow('≈'),
  unsupported: colors.red('✗'),
};

/** What an app uses, for people: a line for each feature, and the places of those that need a look. */
export function scanText(result: ScanResult, wanted: { readonly places: boolean }): string {
  const { features, files, unread } = result;
  if (features.length === 0) return `Nothing of Supabase was found in ${files} files.`;
  const count = (support: Support): number => features.filter((one) => one.support === support).length;
  return [
    ...features.flatMap((feature) => block(feature, wanted.places)),
    '',
    ...unread.map(({ file, line, message }) =>
      colors.yellow(`could not be read: ${file}:${line} ${message}`),
    ),
    `${features.length} features in ${files} files: ${colors.green(`${count('supported')} supported`)}, ` +
      `${colors.yellow(`${count('differs')} with a difference`)}, ${colors.red(`${count('unsupported')} not there`)}.`,
  ].join('\n');
}

function block({ id, title, support, note, places, cases }: UsedFeature, showsAll: boolean): string[] {
  const proof = cases.length === 0 ? '' : `, ${cases.length} ${cases.length === 1 ? 'case' : 'cases'}`;
  const head = `${marks[support]} ${title}  ${colors.dim(`${id}, ${places.length} ${places.length === 1 ? 'place' : 'places'}${proof}`)}`;
  const shown = showsAll ? places : places.slice(0, support === 'supported' ? 1 : 3);
  const more = places.length - shown.length;
  return [
    head,
    ...(note === null ? [] : [`    ${note}`]),
    ...shown.map(({ file, line, what }) => `    ${colors.dim(`${file}:${line}`)}  ${what}`),
    ...(more > 0 ? [colors.dim(`    and ${more} more`)] : []),
  ];
}
