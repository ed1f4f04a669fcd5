// forkcast ingest TRACE -o events.arrow: only the first stage, for whoever wants the events themselves.
import { Command } from "commander";
import { UsageError } from "../exit.ts";
import { replaceFile } from "../files.ts";
import { addIngestOptions, type IngestCliOptions, TRACE_HELP } from "../options.ts";
import { note } from "../output.ts";
import { quotePath } from "../trace-input.ts";

type Options = IngestCliOptions & { readonly out: string };

/** The command; `done` receives its exit code. */
export function ingestCommand(done: (code: number) => void): Command {
  const command = new Command("ingest")
    .description("read one trace and write its events as an Arrow IPC file")
    .argument("<trace...>", `one trace: ${TRACE_HELP}`)
    .requiredOption("-o, --out <file>", "the events.arrow to write");
  return addIngestOptions(command).action(async (traces: readonly string[], options: Options) => {
    const [trace] = traces;
    if (trace === undefined || traces.length > 1) {
      throw new UsageError(
        "ingest writes one trace a file; run it once for each, or use analyze for several",
      );
    }
    const { ingestTrace } = await import("../ingest-trace.ts");
    const { problemLines } = await import("../problem-lines.ts");
    const { Tally } = await import("../run-tally.ts");
    await replaceFile(options.out, async (temporary) => {
      const tally = new Tally();
      const meta = await ingestTrace(trace, options, temporary, tally);
      tally.events = meta.events;
      for (const line of problemLines(meta)) note(line);
      note(`${quotePath(options.out)}: ${meta.rows} rows of ${meta.events} events, ${meta.format}`);
      tally.close(null);
    });
    done(0);
  });
}
