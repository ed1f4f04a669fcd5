// forkcast export DIR --perfetto: the findings for other tools.
import { Command } from "commander";
import { UsageError } from "../exit.ts";
import { addFilterOptions, type FilterCliOptions } from "../filter-options.ts";

/** The command; `done` receives its exit code. */
export function exportCommand(done: (code: number) => void): Command {
  const command = new Command("export")
    .description("write the findings as a timeline that Perfetto's UI opens")
    .argument("<dir>", "a directory that analyze or replay wrote")
    .option("--perfetto", "Chrome trace JSON: fork windows, exposures, waits", false)
    .option("-o, --out <file>", "the file to write (default: standard output)");
  return addFilterOptions(command).action(
    async (
      dir: string,
      options: FilterCliOptions & { readonly perfetto: boolean; readonly out?: string },
    ) => {
      if (!options.perfetto) throw new UsageError("export to what? --perfetto is the one form there is");
      const { writePerfetto } = await import("../run-report.ts");
      await writePerfetto(dir, options);
      done(0);
    },
  );
}
