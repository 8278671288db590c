import { Command, CommanderError, Option } from 'commander';
import { packageFile } from '../core/package-file.ts';
import { commands, groups } from './command-table.ts';
import { CommandFailure, exitCode } from './exit.ts';
import { INTERRUPTED, wasInterrupted } from './interrupt.ts';
import { printFailure, speakJson, speaksJson } from './ui/output.ts';
import { clearProgress, eraseInterrupt } from './ui/progress-line.ts';

const examples = `
Examples:
  $ ownbase start                            the backend of the project in this folder
  $ ownbase start --project ../app --detach  of another project, in the background
  $ eval "$(ownbase status -o env)"          its URLs and keys as shell variables
  $ ownbase migration new add_posts          an empty file in supabase/migrations

Each command explains itself: ownbase help start`;

/** Runs one command line and yields the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const { line, debug } = readGlobalFlags(args);
  speakJson(asksForJson(line));
  try {
    await (await buildProgram(line)).parseAsync([...line], { from: 'user' });
    return Number(process.exitCode ?? exitCode.ok);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCode.ok;
      // The parser has told people already.
      if (speaksJson()) printFailure(misuse(error), exitCode.failed, false);
      return exitCode.failed;
    }
    if (wasInterrupted()) {
      eraseInterrupt();
      // What was asked to end has ended; what could not be removed is said.
      if (!(error instanceof Error && error.name === 'AbortError')) printFailure(error, INTERRUPTED, debug);
      return INTERRUPTED;
    }
    clearProgress();
    const code = error instanceof CommandFailure ? error.code : exitCode.failed;
    printFailure(error, code, debug);
    return code;
  }
}

/** Whether a command line asks for JSON; known before it is parsed, for it may be wrong. */
const asksForJson = (line: readonly string[]): boolean =>
  line.some(
    (word, index) =>
      word === '--json' ||
      /^(-o|--output=)json$/.test(word) ||
      (word === 'json' && /^(-o|--output)$/.test(line[index - 1] ?? '')),
  );

/** What the parser found wrong, without its prefix; where it only showed the help, no command was named. */
const misuse = ({ code, message }: CommanderError): CommandFailure =>
  new CommandFailure(
    code === 'commander.help' ? 'No command is named: see --help.' : message.replace(/^error: /, ''),
  );

/** Flags of the Supabase CLI that may stand before the command and take a value. */
const MOVABLE = ['--workdir', '--project'];
/** Flags of the Supabase CLI that decide nothing here. */
const IDLE = ['--experimental'];

/**
 * Puts flags that people write before the command behind it, where it reads them, and turns `help db reset` into
 * what the parser's own help does not reach: the help of a nested command.
 */
function readGlobalFlags(args: readonly string[]): {
  readonly line: readonly string[];
  readonly debug: boolean;
} {
  const words = args.filter((word) => word !== '--debug' && !IDLE.includes(word));
  const moved: string[] = [];
  while (MOVABLE.some((flag) => words[0] === flag || words[0]?.startsWith(`${flag}=`))) {
    moved.push(...words.splice(0, words[0]?.includes('=') ? 1 : 2));
  }
  const line = words[0] === 'help' && words.length > 1 ? [...words.slice(1), '--help'] : [...words, ...moved];
  return { line, debug: args.includes('--debug') };
}

/** Builds the parser of all commands; those that the line may mean with their options and actions. */
async function buildProgram(line: readonly string[]): Promise<Command> {
  const program = new Command('ownbase')
    .description('Run an app built on Supabase on a backend of your own.')
    .version(await readVersion(), '-v, --version')
    .helpCommand('help [command...]', 'explain a command')
    .addHelpText('after', examples)
    .exitOverride()
    .configureOutput({ writeErr: (text) => void (speaksJson() || process.stderr.write(text)) });
  // A completion script tells the options of every command.
  const describesAll = line[0] === 'completion';
  const parents = new Map<string, Command>();
  for (const { path, summary, json, hidden = false, load } of commands) {
    const parent = groupOf(program, parents, path.slice(0, -1));
    const command = parent.command(path.at(-1) ?? '', { hidden }).description(summary);
    if (!describesAll && !isNamed(path, line)) continue;
    (await load()).configure(command);
    addJsonOption(command, json);
  }
  return program;
}

/** The Supabase CLI writes `-o json` for what is `--json` here; commands with an output of their own keep it. */
function addJsonOption(command: Command, summary: string): void {
  command.option('--json', summary);
  const has = (flag: string): boolean =>
    command.options.some(({ short, long }) => short === flag || long === flag);
  if (has('-o') || has('--output')) return;
  command.addOption(new Option('-o, --output <format>').choices(['pretty', 'json']).hideHelp());
}

function groupOf(program: Command, known: Map<string, Command>, words: readonly string[]): Command {
  if (words.length === 0) return program;
  const key = words.join(' ');
  const existing = known.get(key);
  if (existing) return existing;
  const parent = groupOf(program, known, words.slice(0, -1));
  const made = parent.command(words.at(-1) ?? '').description(groups[key]?.summary ?? '');
  const alias = groups[key]?.alias;
  if (alias !== undefined) made.alias(alias);
  known.set(key, made);
  return made;
}

/** Whether the command line may mean a command: all its words are there. */
function isNamed(path: readonly string[], args: readonly string[]): boolean {
  return path.every((word) => args.includes(word) || args.includes(groups[word]?.alias ?? word));
}

async function readVersion(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(packageFile('package.json'), 'utf8');
  return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? '0.0.0';
}
