import { type Command, InvalidArgumentError } from 'commander';
import { services } from '../compat/cases/model.ts';
import type { Target } from '../compat/run/target.ts';
import { CommandFailure } from './exit.ts';
import { findInstance } from './instance-file.ts';
import { addProjectOption } from './project-options.ts';

/** Options that name what the suite runs against. */
export type TargetOptions = {
  readonly url?: string;
  readonly anonKey?: string;
  readonly serviceKey?: string;
  readonly dbUrl?: string;
  readonly jwtSecret?: string;
  readonly base?: Target['bases'];
};

/** Adds the options that name a backend by its address and keys, and `--project`. */
export function addBackendOptions(command: Command): Command {
  return addProjectOption(command)
    .option('--url <url>', 'what to examine (default: the running backend of the project)')
    .option('--anon-key <key>', 'its anon or publishable key')
    .option('--service-key <key>', 'its service_role or secret key');
}

/** Adds the options that name a target of the suite. */
export function addTargetOptions(command: Command): Command {
  return addBackendOptions(command)
    .option('--db-url <url>', 'its database, for the tables and policies that cases need')
    .option('--jwt-secret <secret>', 'the secret that signs its tokens, for cases about times of tokens')
    .option('--base <service=url>', 'a service at an address of its own; may be repeated', addBase);
}

function addBase(value: string, before: Target['bases'] = {}): Target['bases'] {
  const [name, base] = value.split(/=(.*)/s);
  const service = services.find((known) => known === name);
  if (service === undefined || base === undefined || !URL.canParse(base)) {
    throw new InvalidArgumentError(`One of ${services.join(', ')}, an equals sign and a URL.`);
  }
  return { ...before, [service]: base.replace(/\/+$/, '') };
}

/** The named target, or the running backend of the project. */
export async function targetOf(options: TargetOptions, projectDir: string): Promise<Target> {
  const { url, anonKey, serviceKey, dbUrl, jwtSecret, base: bases } = options;
  if (url !== undefined) {
    if (anonKey === undefined || serviceKey === undefined) {
      throw new CommandFailure('--url needs --anon-key and --service-key.');
    }
    return { url: url.replace(/\/+$/, ''), anonKey, serviceKey, dbUrl: dbUrl ?? null, jwtSecret, bases };
  }
  const instance = await findInstance(projectDir);
  if (!instance) {
    throw new CommandFailure(`No backend runs for ${projectDir}. Start it, or name one with --url.`);
  }
  const { API_URL = '', ANON_KEY = '', SERVICE_ROLE_KEY = '', JWT_SECRET } = instance.values;
  return {
    url: API_URL,
    anonKey: ANON_KEY,
    serviceKey: SERVICE_ROLE_KEY,
    dbUrl: dbUrl ?? instance.dbUrl,
    jwtSecret: jwtSecret ?? JWT_SECRET,
  };
}
