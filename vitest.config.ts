import { defineConfig } from 'vitest/config';
import { SecondTries } from './tests/support/second-tries.ts';

/** `unit` needs no database; `database` starts one Postgres for the run and clones a database per file. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default', new SecondTries()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/{unit,properties,integration}/**/*.test.ts'],
          exclude: ['tests/**/*.pg.test.ts'],
          setupFiles: ['tests/support/property-seed.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'database',
          include: ['tests/**/*.pg.test.ts', 'tests/clients/**/*.test.ts', 'tests/process/**/*.test.ts'],
          globalSetup: ['tests/support/global-setup.ts'],
          setupFiles: ['tests/support/property-seed.ts'],
          testTimeout: 60_000,
          // Processes are killed and clocks are raced in these tests: on a busy machine one may need a second try,
          // and is named at the end.
          retry: process.env.CI === undefined ? 0 : 1,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
