// forkcast explain DIR FORK: one fork's window, event by event, with the input line each came from; without FORK, a line a fork.
import { Command, InvalidArgumentError } from "commander";
import { UsageError } from "../exit.ts";
import { addFilterOptions, type FilterCliOptions, hasFilter } from "../filter-options.ts";
import { print } from "../output.ts";

/** The command; `done` receives its exit code. */
export function explainCommand(done: (code: number) => void): Command {
  const command = new Command("explain")
    .description("show one fork's window event by event, with input lines, or list the forks")
    .argument("<dir>", "a directory that analyze or replay wrote")
    .argument(
      "[fork]",
      "the fork's number, as in the report and forks.arrow; none: a line a fork",
      parseFork,
    );
  return addFilterOptions(command).action(
    async (dir: string, fork: number | undefined, options: FilterCliOptions) => {
      if (fork === undefined) {
        const { listForks } = await import("../list-forks.ts");
        await print((await listForks(dir, options)).join("\n"));
      } else {
        if (hasFilter(options)) throw new UsageError("a fork's number or a filter, not both");
        const { explainFork } = await import("../explain-fork.ts");
        await print((await explainFork(dir, fork)).join("\n"));
      }
      done(0);
    },
  );
}

function parseFork(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError("Expected a fork's number, from 0.");
  return Number(value);
}
