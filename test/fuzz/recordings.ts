// One fuzzing step, for the long run (run.ts) and the short one (recordings.test.ts): a damaged recording must give rows in
// order, which the replay takes, counted problems or one InputError; nothing else may be thrown, and it may take a second a
// megabyte at most.

import { InputError } from "../../src/base/errors.ts";
import { CODECS } from "../../src/cli/codecs.ts";
import { openRecording } from "../../src/ingest/index.ts";
import { sourceOf } from "../support/recording-digest.ts";
import type { Seed } from "../support/recording-seeds.ts";
import { Consumer } from "./stream-targets.ts";

/** Bytes the process may hold at its peak, whatever a file claims. */
export const MAX_RSS = 700e6;
/** CPU time a file may take: a second a megabyte, and what starting costs on a busy machine. */
const FLOOR_MS = 1000;

/** Outcome of one input. */
export interface Outcome {
  readonly kind: "read" | "refused";
  readonly ms: number;
}

/** Reads a damaged recording and replays it. Throws what must not happen: any error but InputError, and an input that takes too long. */
export function tryRecording(seed: Seed, bytes: Uint8Array): Outcome {
  const before = process.cpuUsage();
  let kind: Outcome["kind"] = "read";
  try {
    const consumer = new Consumer();
    const recording = openRecording(
      { path: "fuzzed", files: [sourceOf(bytes)], codecs: CODECS, format: seed.format, batchRows: 64 },
      (batch) => consumer.take(batch, recording.knownMeta),
    );
    consumer.end(recording.read());
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (/\n|undefined|NaN/.test(error.message)) throw new Error(`a bad message: ${error.message}`);
    kind = "refused";
  }
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1e3;
  if (ms > FLOOR_MS + bytes.length / 1e3)
    throw new Error(`took ${ms.toFixed(0)} ms for ${bytes.length} bytes`);
  return { kind, ms };
}

/** Whether a seed is big-endian, by its name. */
export function isBig(seed: Seed): boolean {
  return /-be/.test(seed.name);
}
