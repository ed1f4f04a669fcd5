// forkcast replay events.arrow -o DIR: the later stages, from events that ingest (or an earlier analyze) wrote.
import { constants, copyFileSync } from "node:fs";
import { Command } from "commander";
import { attempt } from "../files.ts";
import { addFilterOptions, type FilterCliOptions } from "../filter-options.ts";
import { addReplayOptions, type ReplayCliOptions } from "../options.ts";

type Options = ReplayCliOptions & FilterCliOptions & { readonly out: string };

/** The command; `done` receives its exit code. */
export function replayCommand(done: (code: number) => void): Command {
  const command = new Command("replay")
    .description("replay the events of an Arrow IPC file and write a report")
    .argument("<events>", "an events.arrow")
    .requiredOption("-o, --out <dir>", "result directory, created or replaced as a whole");
  return addFilterOptions(addReplayOptions(command)).action(async (events: string, options: Options) => {
    const { metaOfEvents } = await import("../replay-events.ts");
    const { runInto } = await import("../run.ts");
    const meta = metaOfEvents(events);
    done(
      await runInto(options.out, 1, options, async (_trace, eventsPath, _tally, { whenRead }) => {
        attempt(eventsPath, () => copyFileSync(events, eventsPath, constants.COPYFILE_FICLONE));
        await whenRead(meta);
        return {};
      }),
    );
  });
}
