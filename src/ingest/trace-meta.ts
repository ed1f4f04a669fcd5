// Sums up one trace that has been read: counters of the sink and what its reader adds. Called by the two doors of
// this room, index.ts for text and recordings/index.ts for binary formats.
import { InputError } from "../base/errors.ts";
import type { ProbeInfo, TraceMeta } from "../table/event-batch.ts";
import type { Sink } from "./sink.ts";

/** The reader's share. */
export interface ReaderCounts {
  skipped(): Record<string, number>;
  probes(): ProbeInfo[];
}

/** What of TraceMeta can be told while the trace is being read. */
export type KnownMeta = Pick<TraceMeta, "kernel" | "cpus" | "kinds">;

/** A copy of what the sink has taken in so far. */
export function knownMeta({ kernel, cpus, kinds }: Sink): KnownMeta {
  return { kernel, cpus, kinds: [...kinds] };
}

/** TraceMeta of a trace; `lines` is what was read of it, used or not. */
export function traceMeta(
  sink: Sink,
  path: string,
  format: string,
  reader: ReaderCounts,
  lines: number,
): TraceMeta {
  return {
    path,
    format,
    clock: sink.clock,
    timeUnit: sink.ticks ? "ticks" : "ns",
    kernel: sink.kernel,
    cpus: sink.cpus,
    epochNs: sink.epochNs,
    spanNs: sink.spanNs,
    lines,
    events: sink.events,
    rows: sink.rows,
    kinds: sink.kinds,
    lostEvents: sink.lostEvents,
    skipped: reader.skipped(),
    probes: reader.probes(),
    comms: sink.comms.texts(),
    pointers: sink.pointers.labels,
  };
}

/** Throws InputError, naming the most frequent events, when the trace gave no row. */
export function refuseEmpty(sink: Sink, path: string, format: string, reader: ReaderCounts): void {
  if (sink.rows > 0) return;
  const skipped = Object.entries(reader.skipped()).sort((a, b) => b[1] - a[1]);
  const most = skipped.slice(0, 3).map(([name, count]) => `${name} ${count}`);
  throw new InputError(
    "ingest/no-events",
    `${path} (${format}) holds no event forkcast reads` +
      (most.length > 0 ? `; most are ${most.join(", ")}` : "") +
      "; expected sched_switch and the events that README.md lists",
  );
}
