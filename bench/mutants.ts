// npm run mutants: breaks one rule of the replay at a time, in a copy of the repository, and asks which test notices. The
// list is bench/mutants/list.ts; writes docs/mutants.md. Stryker was looked at: it makes thousands of mutants of syntax,
// each needing the whole suite; the question here is whether each rule of docs/model.md has a test.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { MUTANTS, type Mutant } from "./mutants/list.ts";

/** Run for a mutant that changes the outcome of no specimen. */
const TESTS = [
  "test/replay/pids.test.ts",
  "test/replay/policies.test.ts",
  "test/replay/waits.test.ts",
  "test/replay/steps.test.ts",
];
/** Run for one that those do not notice; the first failure is enough. */
const LONGER = ["test/replay/certainty.test.ts", "test/oracle/agree.test.ts"];
/** Run as it is: npx would go to where the link to node_modules leads, and test the sources there. */
const VITEST = resolve("node_modules/vitest/vitest.mjs");
const SPECIMENS = "test/golden/replay";
const COPIED = ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts"];

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

interface Specimens {
  outcomeOf(name: string): Promise<string>;
}

/**
 * What the replay in `root` says of each specimen, by name. rules.test.ts and overlaps.test.ts hold these texts as snapshots: a
 * text that changes is a test that fails. The path is part of a module's identity, so every root has modules of its own.
 */
async function outcomes(root: string): Promise<ReadonlyMap<string, string>> {
  const { outcomeOf } = (await import(join(root, "test/replay/specimens.ts"))) as Specimens;
  const names = TESTED.filter((name) => existsSync(join(root, SPECIMENS, `${name}.txt`)));
  const texts = names.map(async (name) => [name, await outcomeOf(name).catch(String)] as const);
  return new Map(await Promise.all(texts));
}

/** Specimens that have a test. */
const TESTED = ["rules", "overlaps"].flatMap((file) =>
  [...readFileSync(`test/replay/${file}.test.ts`, "utf8").matchAll(/^test\("([^"]+)"/gm)].map(
    ([, name]) => name ?? "",
  ),
);

function failures(root: string, tests: readonly string[], ...options: readonly string[]): string[] {
  const { stdout } = spawnSync(process.execPath, [VITEST, "run", ...tests, "--reporter=json", ...options], {
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

/** A copy of the sources and tests, with the mutant in it. */
function copyOf(base: string, number: number, mutant?: Mutant): string {
  const root = join(base, String(number));
  for (const name of COPIED) cpSync(name, join(root, name), { recursive: true });
  for (const name of ["node_modules", "traces"]) symlinkSync(resolve(name), join(root, name));
  if (mutant === undefined) return root;
  const path = join(root, mutant.file);
  const source = readFileSync(path, "utf8");
  if (source.split(mutant.find).length !== 2)
    throw new Error(`${mutant.file}: "${mutant.find}" is not there exactly once`);
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.replace),
  );
  return root;
}

async function judge(root: string, mutant: Mutant, sound: ReadonlyMap<string, string>): Promise<Outcome> {
  const said = await outcomes(root);
  const changed = [...sound].filter(([name, text]) => said.get(name) !== text).map(([name]) => name);
  if (changed.length > 0) return { mutant, killers: changed };
  const failed = failures(root, TESTS);
  return { mutant, killers: failed.length > 0 ? failed : failures(root, LONGER, "--bail=1") };
}

async function main(): Promise<void> {
  // It takes no argument: anything else is refused before minutes of work.
  parseArgs({});
  const base = mkdtempSync(join(tmpdir(), "forkcast-mutants-"));
  try {
    const sound = copyOf(base, 0);
    const before = failures(sound, [...TESTS, ...LONGER]);
    if (before.length > 0) throw new Error(`without a mutant these fail: ${before.join(", ")}`);
    const texts = await outcomes(sound);
    const tried: Outcome[] = [];
    for (const [i, mutant] of MUTANTS.entries()) {
      const root = copyOf(base, i + 1, mutant);
      const outcome = await judge(root, mutant, texts);
      rmSync(root, { recursive: true, force: true });
      console.log(`${outcome.killers.length > 0 ? "killed  " : "SURVIVED"} ${mutant.rule}`);
      tried.push(outcome);
      // What has been tried stands, also when the run is broken off.
      writeFileSync("docs/mutants.md", documentOf(tried));
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
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

Written by \`npm run mutants\` (bench/mutants.ts): each rule of the replay broken once, and what notices: the specimens
of \`test/replay/rules.test.ts\` and \`overlaps.test.ts\` whose outcome changes, or else the tests that fail in
${[...TESTS, ...LONGER].map((name) => `\`${name}\``).join(", ")}.
${killed} of the ${outcomes.length} tried are killed by them; the list has ${MUTANTS.length}.

| broken rule | in | killed by |
|---|---|---|
${rows.join("\n")}
`;
}

await main();
