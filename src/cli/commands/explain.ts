// forkcast explain DIR FORK: one fork's window, event by event, with the input line each came from.
import { Command, InvalidArgumentError } from "commander";
import { print } from "../output.ts";

/** The command; `done` receives its exit code. */
export function explainCommand(done: (code: number) => void): Command {
  return new Command("explain")
    .description("show one fork's window event by event, with input lines")
    .argument("<dir>", "a directory that analyze or replay wrote")
    .argument("<fork>", "the fork's number, as in the report and forks.arrow", parseFork)
    .action(async (dir: string, fork: number) => {
      const { explainFork } = await import("../explain-fork.ts");
      await print((await explainFork(dir, fork)).join("\n"));
      done(0);
    });
}

function parseFork(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError("Expected a fork's number, from 0.");
  return Number(value);
}
