// Test settings: fixed zone and locale, no test without an assertion, and one line of totals for machines.
import { defineConfig } from "vitest/config";
import type { Reporter, TestModule } from "vitest/node";

/** Prints "N passed, N failed" on a line of its own; a file that cannot be loaded counts as one failure. */
class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      passed += tests.filter((test) => test.result().state === "passed").length;
      const broken = tests.filter((test) => test.result().state === "failed").length;
      failed += broken === 0 && module.state() === "failed" ? 1 : broken;
    }
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    env: { TZ: "UTC", LC_ALL: "C" },
    expect: { requireAssertions: true },
    reporters: ["default", new TotalsReporter()],
    testTimeout: 30_000,
  },
});
