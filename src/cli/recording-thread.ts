// A long recording is read by a thread of its own (recording-worker.ts), while this one writes its rows and replays them.
import { Worker } from "node:worker_threads";
import { InputError } from "../base/errors.ts";
import type { Problem } from "../base/problem.ts";
import type { KnownMeta } from "../ingest/index.ts";
import type { EventBatch, TraceMeta } from "../table/event-batch.ts";
import { BatchSlots } from "./batch-slots.ts";
import type { RecordingMessage, RecordingTask } from "./recording-worker.ts";

/** Takes rows in the recording's order, valid during the call. */
export type OnRows = (batch: EventBatch, epochNs: bigint, known: KnownMeta, read: number) => void;

/** Reads it all. Throws InputError as Recording.read() does, and what `onRows` throws. `task.fd` stays open until this is back. */
export async function readInThread(
  task: Omit<RecordingTask, "slots">,
  onRows: OnRows,
): Promise<{ readonly meta: TraceMeta; readonly problems: readonly Problem[] }> {
  const slots = new BatchSlots();
  const workerData: RecordingTask = { ...task, slots: slots.memory };
  const worker = new Worker(new URL("./recording-worker.js", import.meta.url), { workerData });
  try {
    return await new Promise((resolve, reject) => {
      worker.once("error", reject);
      // Behind its last message this rejects nothing any more.
      worker.once("exit", () => reject(new Error("the thread that reads the recording ended before it")));
      worker.on("message", (message: RecordingMessage) => {
        try {
          if (message.kind === "end") resolve(message);
          else if (message.kind === "refused") reject(new InputError(message.code, message.message));
          else {
            onRows(slots.view(message.slot, message.length), message.epochNs, message.known, message.read);
            slots.release();
          }
        } catch (error) {
          reject(error);
        }
      });
    });
  } finally {
    await worker.terminate();
  }
}
