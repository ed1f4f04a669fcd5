// A worker thread that reads a long recording (recording-thread.ts): rows go out through shared memory, what is known of them and
// what was found at the end as messages.
import { parentPort, workerData } from "node:worker_threads";
import { InputError } from "../base/errors.ts";
import type { Problem } from "../base/problem.ts";
import { type KnownMeta, openRecording, type RecordingFormat } from "../ingest/index.ts";
import type { TraceMeta } from "../table/event-batch.ts";
import { BatchSlots } from "./batch-slots.ts";
import { CODECS } from "./codecs.ts";
import { readAt, roomFor } from "./read-at.ts";

export interface RecordingTask {
  readonly path: string;
  /** Open for reading; descriptors are the whole process's. */
  readonly fd: number;
  readonly size: number;
  readonly probes: ReadonlyMap<string, string>;
  readonly format: RecordingFormat | undefined;
  readonly slots: SharedArrayBuffer;
}

/** What is posted: batches, then one of the others. */
export type RecordingMessage =
  | {
      readonly kind: "batch";
      readonly slot: number;
      readonly length: number;
      readonly epochNs: bigint;
      readonly known: KnownMeta;
      /** Bytes read so far. */
      readonly read: number;
    }
  | { readonly kind: "end"; readonly meta: TraceMeta; readonly problems: readonly Problem[] }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

function post(message: RecordingMessage): void {
  parentPort?.postMessage(message);
}

const task = workerData as RecordingTask;
const slots = new BatchSlots(task.slots);
let read = 0;
const recording = openRecording(
  {
    path: task.path,
    files: [
      {
        name: task.path,
        size: task.size,
        readAt: (at, length, into) => {
          const there = Math.min(length, Math.max(0, task.size - at));
          return readAt(task.fd, roomFor(there, into), at);
        },
      },
    ],
    codecs: CODECS,
    probes: task.probes,
    onProgress: (bytes) => {
      read = bytes;
    },
    ...(task.format === undefined ? {} : { format: task.format }),
  },
  (batch) => {
    const { epochNs, knownMeta: known } = recording;
    post({ kind: "batch", slot: slots.fill(batch), length: batch.length, epochNs, known, read });
  },
);
try {
  const meta = recording.read();
  post({ kind: "end", meta, problems: recording.problems.list() });
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  post({ kind: "refused", code: error.code, message: error.message });
}
