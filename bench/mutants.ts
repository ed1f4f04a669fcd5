// npm run mutants: breaks one rule of the replay at a time, in a copy of the repository, and asks which test notices. The
// list is bench/mutants/list.ts; writes docs/mutants.md. Stryker was looked at: it makes thousands of mutants of syntax,
// each needing the whole suite; the question here is whether each rule of docs/model.md has a test.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { MUTANTS, type Mutant } from "./mutants/list.ts";

const TESTS = ["test/replay/rules.test.ts", "test/replay/policies.test.ts"];
const COPIED = ["src", "test", "traces", "package.json", "tsconfig.json", "vitest.config.ts"];

interface Outcome {
  readonly mutant: Mutant;
  /** Names of the tests that failed; empty: it survived. */
  readonly killers: readonly string[];
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

function failures(root: string): string[] {
  const { stdout } = spawnSync("npx", ["vitest", "run", ...TESTS, "--reporter=json"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const report = JSON.parse(stdout.slice(stdout.indexOf("{"))) as Report;
  return report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "failed")
    .map(({ title }) => title);
}

function judge(root: string, mutant: Mutant): Outcome {
  const path = join(root, mutant.file);
  const source = readFileSync(path, "utf8");
  if (source.split(mutant.find).length !== 2)
    throw new Error(`${mutant.file}: "${mutant.find}" is not there exactly once`);
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.replace),
  );
  const killers = failures(root);
  writeFileSync(path, source);
  return { mutant, killers };
}

function main(): void {
  const root = mkdtempSync(join(tmpdir(), "forkcast-mutants-"));
  try {
    for (const name of COPIED) cpSync(name, join(root, name), { recursive: true });
    symlinkSync(resolve("node_modules"), join(root, "node_modules"));
    const before = failures(root);
    if (before.length > 0) throw new Error(`without a mutant these fail: ${before.join(", ")}`);
    const outcomes: Outcome[] = [];
    for (const mutant of MUTANTS) {
      const outcome = judge(root, mutant);
      console.log(`${outcome.killers.length > 0 ? "killed  " : "SURVIVED"} ${mutant.rule}`);
      outcomes.push(outcome);
      // What has been tried stands, also when the run is broken off.
      writeFileSync("docs/mutants.md", documentOf(outcomes));
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function documentOf(outcomes: readonly Outcome[]): string {
  const killed = outcomes.filter(({ killers }) => killers.length > 0).length;
  const rows = outcomes.map(({ mutant, killers }) => {
    const names = killers.slice(0, 2).join(", ");
    const more = killers.length > 2 ? ` and ${killers.length - 2} more` : "";
    return `| ${mutant.rule} | \`${mutant.file}\` | ${killers.length === 0 ? "**survives**" : names + more} |`;
  });
  return `# Mutants

Written by \`npm run mutants\` (bench/mutants.ts): each rule of the replay broken once, and the tests of
${TESTS.map((name) => `\`${name}\``).join(" and ")} that notice.
${killed} of the ${outcomes.length} tried are killed by them; the list has ${MUTANTS.length}.

| broken rule | in | killed by |
|---|---|---|
${rows.join("\n")}
`;
}

main();
