import { type Command, InvalidArgumentError } from 'commander';
import { type Service, services } from '../compat/cases/model.ts';

/** Options that choose cases and the way they run, shared by the `compat` commands. */
export type CompatOptions = {
  readonly only?: readonly Service[];
  readonly case?: readonly string[];
  readonly parallel: number;
};

/** Adds the options that choose cases. */
export function addCompatOptions(command: Command): Command {
  return command
    .option('--only <services>', `some of ${services.join(', ')}`, parseServices)
    .option('--case <ids>', 'cases by id, or by the beginning of their ids', (value) => value.split(','))
    .option('--parallel <n>', 'cases that run at the same time', parseCount, 6);
}

function parseServices(value: string): Service[] {
  return value.split(',').map((name) => {
    const service = services.find((known) => known === name.trim());
    if (service === undefined) throw new InvalidArgumentError(`There is no service ${name}.`);
    return service;
  });
}

/** Reads an option that is a count. */
export function parseCount(value: string): number {
  const count = Number(value);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('A number from 1 on.');
}
