import type { CommandModule } from '../command-module.ts';
import { CommandFailure } from '../exit.ts';

/** A command of the Supabase CLI that can only say why it is not here; ends with code 1 whatever follows it. */
export function notHere(reason: string): CommandModule {
  return {
    configure(command) {
      command
        .argument('[words...]')
        .allowUnknownOption()
        .addHelpText('after', `\n${reason}`)
        .action(() => {
          throw new CommandFailure(reason);
        });
    },
  };
}
