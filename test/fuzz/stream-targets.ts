// What is fuzzed: a format's corpus and how an input of it is read and replayed. A damaged input ends in rows and problems
// or in an InputError, within a second of CPU time per megabyte and one more; anything else is a bug. Run by streams.test.ts
// and run.ts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { InputError } from "../../src/base/errors.ts";
import { type FormatName, type KnownMeta, openIngest, openRecording } from "../../src/ingest/index.ts";
import { RunningReplay } from "../../src/replay/index.ts";
import type { EventBatch, TraceMeta } from "../../src/table/event-batch.ts";
import { newVerdictTables } from "../../src/table/verdict-tables.ts";
import { PLAIN, writeCtf } from "../support/ctf-writer.ts";
import { memoryFile, NO_CODECS } from "../support/dump-recording.ts";
import { perfettoOfText, SPECIMEN } from "../support/perfetto-of-text.ts";
import { exportFiles, exportTables } from "../support/perfetto-writer.ts";
import { rawPages } from "../support/recording-seeds.ts";
import { type Edit, edits, mutated } from "./byte-edits.ts";

/** An input: one file, or several with their names. */
export type FuzzInput = ReadonlyMap<string, Uint8Array>;

export interface FuzzTarget {
  readonly corpus: readonly FuzzInput[];
  readonly read: (input: FuzzInput) => void;
}

const GOLDEN = fileURLToPath(new URL("../golden/ingest/", import.meta.url));

function specimens(prefix: string): FuzzInput[] {
  return readdirSync(GOLDEN)
    .filter((name) => name.startsWith(prefix) && name.endsWith(".txt") && !name.endsWith(".rows.txt"))
    .map((name) => new Map([["input", new Uint8Array(readFileSync(join(GOLDEN, name)))]]));
}

/** Takes rows, which have to come in time order, and replays them. */
export class Consumer {
  #lastNs = Number.NEGATIVE_INFINITY;
  #replay: RunningReplay | null = null;

  take(batch: EventBatch, known: KnownMeta): void {
    for (let i = 0; i < batch.length; i++) {
      if (!(batch.ns[i]! >= this.#lastNs))
        throw new Error(`row ${i} at ${batch.ns[i]} after ${this.#lastNs}`);
      this.#lastNs = batch.ns[i]!;
    }
    this.#replay ??= new RunningReplay(known, {});
    this.#replay.feed(batch);
  }

  end(meta: TraceMeta): void {
    this.#replay?.finish(meta, newVerdictTables(), 0);
  }
}

/** Of inputs of an even length the format is told: damage to a head must not be all that is tried. */
function readText(format: FormatName): FuzzTarget["read"] {
  return (input) => {
    const consumer = new Consumer();
    const size = [...input.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    const options = { path: "fuzz", batchRows: 64, ...(size % 2 === 0 ? { format } : {}) };
    const ingest = openIngest(options, (batch) => consumer.take(batch, ingest.knownMeta));
    for (const bytes of input.values()) ingest.push(bytes);
    consumer.end(ingest.end());
  };
}

function readRecording(input: FuzzInput): void {
  const consumer = new Consumer();
  const files = [...input].map(([name, bytes]) => memoryFile(name, bytes));
  const recording = openRecording({ path: "fuzz", files, codecs: NO_CODECS, batchRows: 64 }, (batch) =>
    consumer.take(batch, recording.knownMeta),
  );
  consumer.end(recording.read());
}

function rawPagesCorpus(): FuzzInput[] {
  const shapes = [
    [false, 8],
    [true, 8],
    [false, 4],
  ] as const;
  return shapes.map(
    ([big, long]) => new Map(rawPages(big, long).map(({ name, bytes }) => [name, new Uint8Array(bytes)])),
  );
}

function ctfCorpus(): FuzzInput[] {
  const packets = [0, 1].map((cpu) => ({
    cpu,
    discarded: cpu,
    events: [1000n, 2000n, 1n << 30n].map((at, i) => ({
      name: ["sched_switch", "sched_process_fork", "sched_process_exec"][i] ?? "",
      at,
      fields: {
        prev_comm: "a",
        prev_tid: i,
        next_tid: 2,
        parent_tid: 2,
        child_tid: 3,
        tid: 4,
        filename: "/bin/x",
        vtids: [3, 4],
      },
    })),
  }));
  return [
    PLAIN,
    { ...PLAIN, isLittle: false, isAligned: true },
    { ...PLAIN, isLarge: true, hasContext: true },
  ].map((style) => new Map(writeCtf(packets, style).map((file) => [file.name, file.readAt(0, file.size)])));
}

/** An export in two shapes: with losses, and of fewer tables. */
function perfettoCorpus(): FuzzInput[] {
  const spec = perfettoOfText(SPECIMEN);
  const stats = [{ name: "ftrace_cpu_has_data_loss", idx: 0, severity: "data_loss", value: 1 }];
  const metadata = [{ name: "trace_time_clock_id", int: 3 }];
  const { __intrinsic_stats, __intrinsic_gpu, ...few } = exportTables(spec);
  return [exportTables({ ...spec, stats, metadata }), few].map(
    (tables) => new Map(exportFiles(tables).map((file) => [file.name, file.readAt(0, file.size)])),
  );
}

/** By format. */
export const TARGETS: ReadonlyMap<string, FuzzTarget> = new Map<string, FuzzTarget>([
  ["perfetto-arrow", { corpus: perfettoCorpus(), read: readRecording }],
  ["ctf", { corpus: ctfCorpus(), read: readRecording }],
  ["raw-pages", { corpus: rawPagesCorpus(), read: readRecording }],
  text("babeltrace-text"),
  text("systrace-html"),
  text("bpftrace-json"),
  text("ftrace-text", "ftrace"),
  text("trace-cmd-report"),
  text("perf-script"),
  text("csv"),
]);

function text(format: FormatName, prefix: string = format): [string, FuzzTarget] {
  return [format, { corpus: specimens(prefix), read: readText(format) }];
}

/** Damage to one file of one input of a corpus. */
export interface Damage {
  readonly entry: number;
  readonly file: number;
  readonly changes: readonly Edit[];
}
export const damage: fc.Arbitrary<Damage> = fc.record({
  entry: fc.nat(1000),
  file: fc.nat(1000),
  changes: edits,
});

/** The input with the damage done. */
export function damaged({ corpus }: FuzzTarget, { entry, file, changes }: Damage): FuzzInput {
  const input = corpus[entry % corpus.length]!;
  const chosen = [...input.keys()][file % input.size];
  return new Map(
    [...input].map(([name, bytes]) => [name, name === chosen ? mutated(bytes, changes) : bytes]),
  );
}

/** Reads one input. Throws when that ends in anything but rows or an InputError, or takes too long. */
export function check(target: FuzzTarget, input: FuzzInput): "read" | "refused" {
  const size = [...input.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  const limit = 1000 + size / 1000;
  // The collector's work and a busy machine are counted too: only what is slow each time is slow.
  let took = Number.POSITIVE_INFINITY;
  let outcome: "read" | "refused" = "read";
  for (let attempt = 0; attempt < 3 && took > limit; attempt++) {
    const start = process.cpuUsage();
    outcome = outcomeOf(target, input);
    const { user, system } = process.cpuUsage(start);
    took = (user + system) / 1000;
  }
  if (took > limit) throw new Error(`${took} ms for ${size} bytes`);
  return outcome;
}

function outcomeOf(target: FuzzTarget, input: FuzzInput): "read" | "refused" {
  try {
    target.read(input);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return "refused";
  }
  return "read";
}
