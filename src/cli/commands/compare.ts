// forkcast compare A B: two result directories side by side.
import { Command } from "commander";
import { print } from "../output.ts";

/** The command; `done` receives its exit code. */
export function compareCommand(done: (code: number) => void): Command {
  return new Command("compare")
    .description("put two results side by side: differences with intervals, and what is not comparable")
    .argument("<a>", "a directory that analyze or replay wrote")
    .argument("<b>", "another one")
    .option("--json", "print the comparison as JSON, and nothing else", false)
    .action(async (a: string, b: string, options: { readonly json: boolean }) => {
      const { compareDirs } = await import("../run-compare.ts");
      await print(compareDirs(a, b, options.json));
      done(0);
    });
}
