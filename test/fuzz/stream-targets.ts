// What is fuzzed: a format's corpus and how an input of it is read. A damaged input ends in rows and problems or in an
// InputError, within a second of CPU time per megabyte and one more; anything else is a bug. Run by streams.test.ts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../src/base/errors.ts";
import { openIngest, openRecording } from "../../src/ingest/index.ts";
import type { EventBatch } from "../../src/table/event-batch.ts";
import { PLAIN, writeCtf } from "../support/ctf-writer.ts";
import { memoryFile, NO_CODECS } from "../support/dump-recording.ts";

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

/** Rows have to come in time order, and no more of them than a batch holds. */
function checkBatch(batch: EventBatch, last: { ns: number }): void {
  for (let i = 0; i < batch.length; i++) {
    if (!(batch.ns[i]! >= last.ns)) throw new Error(`row ${i} at ${batch.ns[i]} after ${last.ns}`);
    last.ns = batch.ns[i]!;
  }
}

function readText(input: FuzzInput): void {
  const last = { ns: Number.NEGATIVE_INFINITY };
  const ingest = openIngest({ path: "fuzz", batchRows: 64 }, (batch) => checkBatch(batch, last));
  for (const bytes of input.values()) ingest.push(bytes);
  ingest.end();
}

function readRecording(input: FuzzInput): void {
  const last = { ns: Number.NEGATIVE_INFINITY };
  const files = [...input].map(([name, bytes]) => memoryFile(name, bytes));
  openRecording({ path: "fuzz", files, codecs: NO_CODECS, batchRows: 64 }, (batch) =>
    checkBatch(batch, last),
  ).read();
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

/** By format. */
export const TARGETS: ReadonlyMap<string, FuzzTarget> = new Map<string, FuzzTarget>([
  ["ctf", { corpus: ctfCorpus(), read: readRecording }],
  ["babeltrace-text", { corpus: specimens("babeltrace-text"), read: readText }],
  ["systrace-html", { corpus: specimens("systrace-html"), read: readText }],
  ["bpftrace-json", { corpus: specimens("bpftrace-json"), read: readText }],
]);

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
