import type { CommandModule } from '../command-module.ts';
import { CommandFailure } from '../exit.ts';

/**
 * A command of the Supabase CLI that can only say why it is not here; ends with code 1 whatever follows it. `help` is
 * what to do instead.
 */
export function notHere(reason: string, help?: string): CommandModule {
  return {
    configure(command) {
      command
        .argument('[words...]')
        .allowUnknownOption()
        .addHelpText('after', `\n${[reason, ...(help === undefined ? [] : [help])].join('\n')}`)
        .action(() => {
          throw new CommandFailure(reason);
        });
    },
  };
}
