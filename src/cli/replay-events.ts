// Events through the replay into the result tables: while they are read, or from an events.arrow. Called by the commands
// analyze, replay and doctor.
import { type Premise, type ReplayOptions, RunningReplay, replay } from "../replay/index.ts";
import { readEventFile } from "../table/arrow.ts";
import type { EventBatch, EventTable, TraceMeta } from "../table/event-batch.ts";
import type { ReplayInfo, VerdictTables } from "../table/verdict-tables.ts";
import { inFile, openReader } from "./files.ts";
import type { ReplayCliOptions } from "./options.ts";
import { openProgress, type Progress, THOUSAND_EVENTS } from "./progress.ts";

/** What of the command line changes a replay. */
export type ReplayChoices = Pick<ReplayCliOptions, "policy" | "kernel" | "assume" | "blind">;

/** Replays a trace while it is being read. */
export class Follower {
  readonly #options: ReplayOptions;
  readonly #choices: ReplayChoices;
  readonly #onRows: () => void;
  #running: RunningReplay | null = null;
  /** Nothing was fed, or the trace went on to show what its beginning had not: the replay begins anew, from the file. */
  #isUseless = false;

  /** `onRows`: as ReplayOptions. */
  constructor(choices: ReplayChoices, onRows: () => void = () => {}) {
    this.#choices = choices;
    this.#onRows = onRows;
    this.#options = { ...replayOptionsOf(choices), onRows };
  }

  /** Takes the next rows; `known` is what is known of the trace by then. */
  feed(batch: EventBatch, known: Premise): void {
    if (this.#isUseless) return;
    this.#running ??= new RunningReplay(known, this.#options);
    if (this.#running.holdsFor(known)) this.#running.feed(batch);
    else this.#giveUp();
  }

  /** Whether what was fed need not be replayed anew. */
  holdsFor(meta: Premise): boolean {
    return this.#running?.holdsFor(meta) === true;
  }

  /** As replayEvents of the file at `eventsPath`, which holds what was fed, if anything was. */
  async finish(
    meta: TraceMeta,
    eventsPath: string,
    tables: VerdictTables,
    trace: number,
  ): Promise<ReplayInfo> {
    const running = this.holdsFor(meta) ? this.#running : null;
    this.#giveUp();
    if (running === null) {
      const { info } = await replayEvents(eventsPath, this.#choices, tables, trace, this.#onRows);
      return info;
    }
    appendProblems(tables, meta, trace);
    return running.finish(meta, tables, trace);
  }

  #giveUp(): void {
    this.#running = null;
    this.#isUseless = true;
  }
}

/**
 * Replays the events at `eventsPath`; appends to `tables` under trace index `trace`. `onRows`: as ReplayOptions. Throws InputError
 * when the file is not one of ours.
 */
export async function replayEvents(
  eventsPath: string,
  options: ReplayChoices,
  tables: VerdictTables,
  trace: number,
  onRows: () => void = () => {},
): Promise<{ readonly meta: TraceMeta; readonly info: ReplayInfo }> {
  const reader = openReader(eventsPath);
  try {
    const events = inFile(eventsPath, () => readEventFile(reader));
    appendProblems(tables, events.meta, trace);
    const progress = openProgress("replay", THOUSAND_EVENTS);
    const info = await replay(
      watched(events, progress),
      { ...replayOptionsOf(options), onRows },
      tables,
      trace,
    );
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

/** What the events.arrow at `path` says of its trace. Throws InputError naming `path` unless it is one of ours. */
export function metaOfEvents(path: string): TraceMeta {
  const reader = openReader(path);
  try {
    return inFile(path, () => readEventFile(reader)).meta;
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
