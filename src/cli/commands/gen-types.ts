import { type Command, Option } from 'commander';
import { CommandFailure } from '../exit.ts';

import { addTargetOptions, requireTarget } from '../target.ts';
import { printResult } from '../ui/output.ts';

const examples = `
The output is that of the Supabase CLI. Without --schema: public and the schemas that the API shows.

Examples:
  $ ownbase gen types --local > database.types.ts
  $ ownbase gen types typescript --schema public --schema private
  $ ownbase gen types --db-url postgres://...`;

type Options = {
  readonly schema: readonly string[];
  readonly lang: string;
  readonly postgrestV9Compat?: boolean;
};

/** `ownbase gen types [typescript]`: prints the types of the database for supabase-js. */
export function configure(command: Command): void {
  addTargetOptions(command)
    .argument('[language]', 'typescript; the older way to name it')
    .option('-s, --schema <names>', 'schemas to include; repeatable', collect, [])
    .addOption(new Option('--lang <language>', 'language of the types').default('typescript'))
    .option('--postgrest-v9-compat', 'for clients of PostgREST 9 and older')
    .addHelpText('after', examples)
    .action((language?: string) => printTypes(command, language));
}

const collect = (value: string, previous: readonly string[]): string[] => [
  ...previous,
  ...value.split(',').map((name) => name.trim()),
];

async function printTypes(command: Command, positional: string | undefined): Promise<void> {
  const { schema, lang, postgrestV9Compat } = command.opts<Options>();
  const language = positional ?? lang;
  if (language !== 'typescript') {
    throw new CommandFailure(`Types are generated for typescript, not for ${language}.`);
  }
  const { config, url } = await requireTarget(command);
  const { connect } = await import('../../pg/connect.ts');
  const { introspectTypes } = await import('../../typegen/introspect.ts');
  const { generateTypeScript } = await import('../../typegen/typescript.ts');
  const schemas = schema.length > 0 ? schema : ['public', ...config.api.schemas];
  const client = await connect(url);
  try {
    const database = await introspectTypes(client, [...new Set(schemas)]);
    const types = await generateTypeScript(database, { detectOneToOne: postgrestV9Compat !== true });
    // The Supabase CLI ends its output with an empty line.
    printResult({ language, schemas: [...new Set(schemas)], types }, () => `${types}\n`);
  } finally {
    await client.end();
  }
}
