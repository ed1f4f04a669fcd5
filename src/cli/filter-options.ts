// --time, -C, -p and --comm as perf spells them: which forks are reported. Shared by every command that prints a result's
// figures; filter-results.ts applies them.
import { type Command, InvalidArgumentError, Option } from "commander";

type Ranges = readonly (readonly [number, number])[];

/** The options as commander gives them. */
export interface FilterCliOptions {
  readonly time?: { readonly from: string | null; readonly to: string | null };
  readonly cpu?: Ranges;
  readonly pid?: readonly number[];
  readonly comm?: readonly string[];
}

/** Adds --time, -C, -p and --comm. */
export function addFilterOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--time <from,to>",
        "only forks checked then: seconds of the trace's clock, either may be empty",
      ).argParser(parseTime),
    )
    .addOption(new Option("-C, --cpu <list>", "only forks on these CPUs, such as 0,2-5").argParser(parseCpus))
    .addOption(
      new Option("-p, --pid <list>", "only forks of these processes and of what they fork").argParser(
        parsePids,
      ),
    )
    .addOption(
      new Option("--comm <name,...>", "only forks by tasks of these names; repeatable").argParser(
        (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
      ),
    );
}

/** Whether any of them is given. */
export function hasFilter({ time, cpu, pid, comm }: FilterCliOptions): boolean {
  return [time, cpu, pid, comm].some((part) => part !== undefined);
}

/** The options as they would be typed: part of a result's provenance. */
export function filterText({ time, cpu, pid, comm }: FilterCliOptions): string[] {
  const ranges = cpu?.map(([low, high]) => (low === high ? String(low) : `${low}-${high}`));
  return [
    ...(time === undefined ? [] : [`--time ${time.from ?? ""},${time.to ?? ""}`]),
    ...(ranges === undefined ? [] : [`-C ${ranges.join(",")}`]),
    ...(pid === undefined ? [] : [`-p ${pid.join(",")}`]),
    ...(comm ?? []).map((name) => `--comm ${/^[\w.,/:-]+$/.test(name) ? name : JSON.stringify(name)}`),
  ];
}

function parseTime(value: string): { from: string | null; to: string | null } {
  const match = /^(\d*\.?\d*),(\d*\.?\d*)$/.exec(value);
  const [from, to] = [match?.[1] ?? "", match?.[2] ?? ""];
  const isNumber = (text: string): boolean => text === "" || /\d/.test(text);
  if (match === null || !isNumber(from) || !isNumber(to) || from + to === "") {
    throw new InvalidArgumentError(
      "Expected FROM,TO in seconds of the trace's clock, such as 1042.5,1043 or 1042.5,",
    );
  }
  if (from !== "" && to !== "" && Number(from) > Number(to)) {
    throw new InvalidArgumentError("FROM is later than TO.");
  }
  return { from: from === "" ? null : from, to: to === "" ? null : to };
}

function parseCpus(value: string): Ranges {
  return value.split(",").map((part) => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    const low = Number(match?.[1]);
    const high = Number(match?.[2] ?? match?.[1]);
    if (match === null || high < low) throw new InvalidArgumentError("Expected CPUs such as 0,2-5.");
    return [low, high] as const;
  });
}

function parsePids(value: string): readonly number[] {
  return value.split(",").map((part) => {
    if (!/^\d{1,9}$/.test(part)) throw new InvalidArgumentError("Expected process ids such as 1200,1300.");
    return Number(part);
  });
}
