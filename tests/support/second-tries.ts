import type { Reporter, TestModule } from 'vitest/node';

/** Names the tests that passed at a second try: each of them is a fault, of the test or of what it tests. */
export class SecondTries implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const names = modules.flatMap((module) =>
      [...module.children.allTests('passed')]
        .filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0)
        .map((test) => `${module.relativeModuleId} > ${test.fullName}`),
    );
    if (names.length > 0) console.log(`\nPassed at the second try only:\n${names.join('\n')}`);
  }
}
