// forkcast explore: every interleaving of a small system under each policy; no trace is read.
import { Command, InvalidArgumentError, Option } from "commander";
import { BORROWER_KINDS, type BorrowerKind, EXPLORE_ASSUMPTIONS } from "../../replay/explore/bound.ts";
import { parsePolicies } from "../options.ts";
import { print } from "../output.ts";

export interface ExploreCliOptions {
  readonly policy?: readonly string[];
  readonly cpus: number;
  readonly threads: number;
  readonly vforks: number;
  readonly borrowers: number;
  readonly borrowerKinds: readonly BorrowerKind[];
  readonly readers: number;
  readonly tasks: number;
  readonly maxStates: number;
  readonly assume: readonly string[];
  readonly rt: boolean;
  readonly json: boolean;
  readonly out?: string;
}

/** The command; `done` receives its exit code. */
export function exploreCommand(done: (code: number) => void): Command {
  const size = (flag: string, what: string, low: number, high: number, value: number): Option =>
    new Option(`--${flag} <n>`, `${what}, ${low} to ${high}`).argParser(numberFrom(low, high)).default(value);
  return new Command("explore")
    .description("try all interleavings of a small system under each policy")
    .option("--policy <id,...>", "only these policies", parsePolicies)
    .addOption(size("cpus", "CPUs", 1, 4, 2))
    .addOption(size("threads", "threads of the forking process beside the forker", 0, 3, 1))
    .addOption(size("vforks", "vfork children of the forker", 0, 1, 0))
    .addOption(size("borrowers", "kernel threads that borrow the mm", 0, 3, 1))
    .addOption(
      new Option("--borrower-kinds <kind,...>", `how they come to it: ${BORROWER_KINDS.join(", ")}`)
        .argParser(parseKinds)
        .default(["get", "raw"], "get,raw"),
    )
    .addOption(size("readers", "processes that read the forker's /proc files", 0, 3, 1))
    .addOption(size("tasks", "other processes, which only run", 0, 3, 0))
    .addOption(size("max-states", "states a policy may take", 1, 10_000_000, 1_000_000))
    .addOption(
      new Option("--assume <name>", `${EXPLORE_ASSUMPTIONS.join(", ")}; repeatable`)
        .argParser(parseAssumption)
        .default([], "none"),
    )
    .option("--rt", "short for --assume preempt-rt", false)
    .option("--json", "print the result as JSON, and nothing else", false)
    .option("-o, --out <dir>", "write each unsafe schedule there, as a trace that analyze reads")
    .action(async (options: ExploreCliOptions) => {
      const { runExplore } = await import("../run-explore.ts");
      await print(runExplore(options));
      done(0);
    });
}

function numberFrom(low: number, high: number): (value: string) => number {
  return (value) => {
    const n = /^\d{1,8}$/.test(value) ? Number(value) : Number.NaN;
    if (!(n >= low && n <= high)) throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`);
    return n;
  };
}

function parseKinds(value: string): readonly BorrowerKind[] {
  const kinds = new Set(value.split(",").map((kind) => kind.trim()));
  const known = BORROWER_KINDS.filter((kind) => kinds.has(kind));
  if (known.length !== kinds.size) {
    throw new InvalidArgumentError(`Expected one or more of ${BORROWER_KINDS.join(", ")}.`);
  }
  return known;
}

function parseAssumption(value: string, before: readonly string[]): readonly string[] {
  if (!(EXPLORE_ASSUMPTIONS as readonly string[]).includes(value)) {
    throw new InvalidArgumentError(`Expected one of ${EXPLORE_ASSUMPTIONS.join(", ")}.`);
  }
  return before.includes(value) ? before : [...before, value];
}
