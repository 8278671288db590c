import { boolean } from './kind.ts';
import type { Environment } from './option.ts';

/**
 * Reads a switch whose environment name says the opposite of the option (`GOTRUE_DISABLE_SIGNUP` for `enable_signup`);
 * the first name that is set wins.
 */
export const inverted =
  (...names: readonly string[]) =>
  (env: Environment): boolean | undefined => {
    for (const name of names) {
      const text = env[name];
      if (text !== undefined && text !== '') return !boolean.parse(text);
    }
    return undefined;
  };
