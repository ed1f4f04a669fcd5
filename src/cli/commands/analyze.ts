// forkcast analyze TRACE...: ingest, replay and report in one go; one result directory for all the traces.
import { Command } from "commander";
import { UsageError } from "../exit.ts";
import {
  addIngestOptions,
  addReplayOptions,
  type IngestCliOptions,
  type ReplayCliOptions,
} from "../options.ts";
import { STDIN, sizeOf } from "../trace-input.ts";

type Options = IngestCliOptions & ReplayCliOptions & { readonly out: string };

/** The command; `done` receives its exit code. */
export function analyzeCommand(done: (code: number) => void): Command {
  const command = new Command("analyze")
    .description("replay traces through every policy and write a report")
    .argument("<trace...>", "trace files: text, .gz or .zst; - is standard input")
    .option("-o, --out <dir>", "result directory, created or replaced as a whole", "forkcast-out");
  addReplayOptions(addIngestOptions(command));
  return command.action(async (traces: readonly string[], options: Options) => {
    if (traces.filter((path) => path === STDIN).length > 1)
      throw new UsageError("standard input given twice");
    for (const path of traces) if (path !== STDIN) sizeOf(path);
    const { formatOf, ingestTrace } = await import("../ingest-trace.ts");
    const { runInto } = await import("../run.ts");
    formatOf(options);
    done(
      await runInto(options.out, traces.length, options, async (trace, eventsPath) => {
        await ingestTrace(traces[trace] ?? STDIN, options, eventsPath);
      }),
    );
  });
}
