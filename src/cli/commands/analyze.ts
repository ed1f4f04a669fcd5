// forkcast analyze TRACE...: ingest, replay and report in one go; one result directory for all the traces.
import { Command } from "commander";
import { addFilterOptions, type FilterCliOptions } from "../filter-options.ts";
import {
  addIngestOptions,
  addReplayOptions,
  type IngestCliOptions,
  type ReplayCliOptions,
  TRACE_HELP,
} from "../options.ts";
import { checkTraces, STDIN } from "../trace-input.ts";

type Options = IngestCliOptions & ReplayCliOptions & FilterCliOptions & { readonly out: string };

/** The command; `done` receives its exit code. */
export function analyzeCommand(done: (code: number) => void): Command {
  const command = new Command("analyze")
    .description("replay traces through every policy and write a report")
    .argument("<trace...>", `traces: ${TRACE_HELP}`)
    .option("-o, --out <dir>", "result directory, created or replaced as a whole", "forkcast-out");
  addFilterOptions(addReplayOptions(addIngestOptions(command)));
  return command.action(async (traces: readonly string[], options: Options) => {
    checkTraces(traces);
    const { formatOf, ingestTrace } = await import("../ingest-trace.ts");
    const { runInto } = await import("../run.ts");
    formatOf(options);
    done(
      await runInto(options.out, traces.length, options, async (trace, eventsPath, tally, listeners) => {
        const path = traces[trace] ?? STDIN;
        const { sha256 } = await ingestTrace(path, options, eventsPath, tally, listeners);
        return sha256 === undefined ? {} : { sha256 };
      }),
    );
  });
}
