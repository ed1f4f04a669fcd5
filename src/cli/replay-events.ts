// One events.arrow through the replay into the result tables. Called by the commands analyze and replay.
import type { ReplayOptions } from "../replay/index.ts";
import { replay } from "../replay/index.ts";
import { readEventFile } from "../table/arrow.ts";
import type { EventTable, TraceMeta } from "../table/event-batch.ts";
import type { ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import { inFile, openReader } from "./files.ts";
import type { ReplayCliOptions } from "./options.ts";
import { openProgress, type Progress, THOUSAND_EVENTS } from "./progress.ts";

/** What of the command line changes a replay. */
export type ReplayChoices = Pick<ReplayCliOptions, "policy" | "kernel" | "assume" | "blind">;

/** Replays the events at `eventsPath`; appends to `tables` under trace index `trace`. Throws InputError when the file is not one of ours. */
export async function replayEvents(
  eventsPath: string,
  options: ReplayChoices,
  tables: VerdictTables,
  trace: number,
): Promise<{ readonly meta: TraceMeta; readonly info: ReplayInfo }> {
  const reader = openReader(eventsPath);
  try {
    const events = inFile(eventsPath, () => readEventFile(reader));
    appendProblems(tables, events.meta, trace);
    const progress = openProgress("replay", THOUSAND_EVENTS);
    const info = await replay(watched(events, progress), replayOptionsOf(options), tables, trace);
    progress.clear();
    return { meta: events.meta, info };
  } finally {
    reader.close();
  }
}

/** The same events; each pass over them moves the progress from its start. */
function watched(events: EventTable, progress: Progress): EventTable {
  return {
    meta: events.meta,
    forEachBatch: async (visit) => {
      let done = 0;
      await events.forEachBatch((batch) => {
        visit(batch);
        done += batch.length;
        progress.update(done, events.meta.rows);
      });
    },
  };
}

/** Throws InputError naming `path` unless it is an events.arrow of ours. */
export function checkEvents(path: string): void {
  const reader = openReader(path);
  try {
    inFile(path, () => readEventFile(reader));
  } finally {
    reader.close();
  }
}

function replayOptionsOf(options: ReplayChoices): ReplayOptions {
  return {
    assume: options.assume,
    blind: options.blind,
    ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
    ...(options.policy === undefined ? {} : { policies: options.policy }),
  };
}

function appendProblems(tables: VerdictTables, meta: TraceMeta, trace: number): void {
  for (const { kind, count, firstLine, sample } of meta.problems ?? []) {
    const { code, severity, source, meaning } = kind;
    tables.problems.append({ code, severity, source, count, first_line: firstLine, sample, trace, meaning });
  }
}
