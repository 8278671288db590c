import type { Command } from 'commander';

/** A command's own module: adds options, help and action to the command made for it. */
export type CommandModule = { readonly configure: (command: Command) => void };
