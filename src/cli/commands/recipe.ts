// forkcast recipe [TOOL]: the script that records what forkcast needs, for the user's kernel.
import { Argument, Command } from "commander";
import { parseKernel } from "../options.ts";
import { print } from "../output.ts";

export const RECIPE_TOOLS = ["trace-cmd", "perf", "bpftrace", "tracefs"] as const;
export type RecipeTool = (typeof RECIPE_TOOLS)[number];

/** The command; `done` receives its exit code. */
export function recipeCommand(done: (code: number) => void): Command {
  return new Command("recipe")
    .description("print a shell script that records what forkcast needs")
    .addArgument(new Argument("[tool]", "what records").choices(RECIPE_TOOLS).default("trace-cmd"))
    .option(
      "--kernel <version>",
      "kernel it is meant for, such as 6.12: the script says when it runs on another",
      parseKernel,
    )
    .action(async (tool: RecipeTool, options: { readonly kernel?: string }) => {
      const kernel = /^\d+\.\d+/.exec(options.kernel ?? "")?.[0];
      await print(await recipeOf(tool, kernel === undefined ? {} : { kernel }));
      done(0);
    });
}

/** The script's text. */
export async function recipeOf(tool: RecipeTool, options: { readonly kernel?: string }): Promise<string> {
  switch (tool) {
    case "trace-cmd":
      return (await import("../recipe/trace-cmd.ts")).traceCmdRecipe(options);
    case "perf":
      return (await import("../recipe/perf.ts")).perfRecipe(options);
    case "bpftrace":
      return (await import("../recipe/bpftrace.ts")).bpftraceRecipe(options);
    case "tracefs":
      return (await import("../recipe/tracefs.ts")).tracefsRecipe(options);
  }
}
