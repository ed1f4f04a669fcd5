// Options that several commands share, and how their values are read. Bad values become usage errors (exit 2).
import { type Command, InvalidArgumentError, Option } from "commander";
import { POLICY_IDS } from "../table/verdict-tables.ts";

/** --fail-on conditions, in the order they are documented. */
export const FAIL_ON = ["unsafe", "indeterminate"] as const;
export type FailOn = (typeof FAIL_ON)[number];

/** Options of commands that read traces. */
export interface IngestCliOptions {
  readonly format?: string;
  readonly probe: ReadonlyMap<string, string>;
  readonly threads?: number;
}

/** Options of commands that replay. */
export interface ReplayCliOptions {
  readonly policy?: readonly string[];
  readonly kernel?: string;
  readonly assume: readonly string[];
  readonly blind: boolean;
  readonly json: boolean;
  readonly parquet: boolean;
  readonly failOn?: FailOn;
}

/** What a trace argument may be. */
export const TRACE_HELP =
  "text or a recording, a file or its directory, also .gz, .zst or .tar; - is standard input";

/** Adds --format and --probe. */
export function addIngestOptions(command: Command): Command {
  return command
    .option("--format <name>", "read the input as this format instead of detecting it")
    .option(
      "--threads <n>",
      "threads that read a long file, the main one among them (default: by its length)",
      parseThreads,
    )
    .addOption(
      new Option("--probe <event=function>", "the kernel function behind a probe's event name; repeatable")
        .argParser(parseProbe)
        .default(new Map<string, string>(), "none"),
    );
}

/** Adds --policy, --kernel, --assume, --blind, --fail-on, --parquet and --json. */
export function addReplayOptions(command: Command): Command {
  return command
    .option("--policy <id,...>", `only these policies: ${POLICY_IDS.join(", ")}`, parsePolicies)
    .option("--kernel <version>", "kernel version whose rules apply, such as 6.1", parseKernel)
    .addOption(
      new Option("--assume <name>", "state an assumption the trace cannot prove; repeatable")
        .argParser((name: string, before: readonly string[]) => [...before, name])
        .default([], "none"),
    )
    .option("--blind", "hide sampled counts from the replay; agreement then measures the derivation", false)
    .addOption(new Option("--fail-on <condition>", "exit with 1 when any policy has one").choices(FAIL_ON))
    .option("--parquet", "write the tables as Parquet too, beside the Arrow files", false)
    .option("--json", "print summary.json on standard output, and nothing else", false);
}

/** The options that bear on the results, in a fixed order and as they would be typed: part of a report's provenance. */
export function resultOptions(options: ReplayCliOptions & Partial<IngestCliOptions>): string[] {
  return [
    ...(options.format === undefined ? [] : [`--format ${options.format}`]),
    ...[...(options.probe ?? [])].map(([event, func]) => `--probe ${event}=${func}`),
    ...(options.policy === undefined ? [] : [`--policy ${options.policy.join(",")}`]),
    ...(options.kernel === undefined ? [] : [`--kernel ${options.kernel}`]),
    ...options.assume.map((name) => `--assume ${name}`),
    ...(options.blind ? ["--blind"] : []),
  ];
}

/** Policy ids, comma-separated. Throws InvalidArgumentError naming the unknown one. */
export function parsePolicies(value: string, before: readonly string[] | undefined): readonly string[] {
  const ids = value.split(",").map((id) => id.trim());
  const known: readonly string[] = POLICY_IDS;
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `Unknown policy ${JSON.stringify(unknown)}; known: ${POLICY_IDS.join(", ")}.`,
    );
  }
  return [...new Set([...(before ?? []), ...ids])];
}

function parseThreads(value: string): number {
  const threads = /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (threads < 1) throw new InvalidArgumentError("Expected a number from 1 to 999.");
  return threads;
}

/** A kernel version. Throws InvalidArgumentError unless it begins with two numbers. */
export function parseKernel(value: string): string {
  if (!/^\d+\.\d+/.test(value)) throw new InvalidArgumentError("Expected a version such as 6.1 or 6.12.");
  return value;
}

function parseProbe(value: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = value.indexOf("=");
  if (at <= 0 || at === value.length - 1) {
    throw new InvalidArgumentError("Expected EVENT=FUNCTION, such as my_probe=kthread_use_mm.");
  }
  return new Map([...before, [value.slice(0, at), value.slice(at + 1)]]);
}
