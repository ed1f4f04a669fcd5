// forkcast chart DIR NAME -o FILE: one chart of the report as a file of its own.
import { Command } from "commander";
import { UsageError } from "../exit.ts";
import { addFilterOptions, type FilterCliOptions } from "../filter-options.ts";
import { print } from "../output.ts";

/** The command; `done` receives its exit code. */
export function chartCommand(done: (code: number) => void): Command {
  const command = new Command("chart")
    .description("write one chart of a result: .svg, .png, or .json (Vega-Lite with its data)")
    .argument("<dir>", "a directory that analyze or replay wrote")
    .argument("[name]", "the chart, as --list names it")
    .option("--list", "list the charts and write none", false)
    .option("-o, --out <file>", "the file to write; its ending says the form (default: NAME.svg)");
  return addFilterOptions(command).action(
    async (
      dir: string,
      name: string | undefined,
      options: FilterCliOptions & { readonly list: boolean; readonly out?: string },
    ) => {
      const { listCharts, writeChart } = await import("../run-report.ts");
      if (options.list) await print(await listCharts(dir, options));
      else if (name === undefined) throw new UsageError("which chart? forkcast chart DIR --list names them");
      else await writeChart(dir, name, options.out ?? `${name}.svg`, options);
      done(0);
    },
  );
}
