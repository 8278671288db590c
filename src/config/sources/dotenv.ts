import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Environment } from '../option.ts';

/**
 * The environment that `env(NAME)` sees: the process's own, then the project's .env files, nearest first.
 * A variable that the process already has is never overridden.
 *
 * Upstream: supabase/cli pkg/config (loadNestedEnv).
 */
export function withDotenv(env: Environment, projectDir: string): Environment {
  const mode = env.SUPABASE_ENV ?? 'development';
  const names = [`.env.${mode}.local`, '.env.local', `.env.${mode}`, '.env'];
  const merged: Record<string, string | undefined> = { ...env };
  for (const folder of [join(projectDir, 'supabase'), projectDir]) {
    for (const name of names) {
      const file = join(folder, name);
      if (!existsSync(file)) continue;
      for (const [key, value] of Object.entries(parseEnv(readFileSync(file, 'utf8')))) merged[key] ??= value;
    }
  }
  return merged;
}
