// Everything an ingest produced, short enough to compare: a hash over all rows, the meta and the problems. Used by the
// tests that hold two ways of reading against each other.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { decompress } from "fzstd";
import { InputError } from "../../src/base/errors.ts";
import type { ProblemLog } from "../../src/base/problem.ts";
import { CODECS } from "../../src/cli/codecs.ts";
import {
  type Ingest,
  type IngestOptions,
  type KnownMeta,
  openIngest,
  openRecording,
  type RecordingOptions,
} from "../../src/ingest/index.ts";
import { EVENT_COLUMNS, type EventBatch, type TraceMeta } from "../../src/table/event-batch.ts";

const SHARED = fileURLToPath(new URL("../../../shared/traces/", import.meta.url));
const OWN = fileURLToPath(new URL("../../traces/", import.meta.url));
const SPECIMENS = fileURLToPath(new URL("../golden/ingest/", import.meta.url));

/** Reads by `feed`; returns the rows' hash, meta and problems, or the InputError's message. */
export function digestOf(options: Omit<IngestOptions, "path">, feed: (ingest: Ingest) => void): unknown {
  return outcomeOf((onBatch) => {
    const ingest = openIngest({ path: "unknown", ...options }, onBatch);
    return {
      problems: ingest.problems,
      end: () => {
        feed(ingest);
        return ingest.end();
      },
    };
  });
}

/** As digestOf, of a binary recording. `onKnown` gets what was known of the trace when each batch came. */
export function recordingOutcome(
  options: Omit<RecordingOptions, "path" | "codecs">,
  onKnown: (known: KnownMeta) => void = () => {},
): unknown {
  return outcomeOf((onBatch) => {
    const recording = openRecording({ path: "unknown", codecs: CODECS, ...options }, (batch) => {
      onBatch(batch);
      onKnown(recording.knownMeta);
    });
    return { problems: recording.problems, end: () => recording.read() };
  });
}

interface Reading {
  readonly problems: ProblemLog;
  readonly end: () => TraceMeta;
}

function outcomeOf(open: (onBatch: (batch: EventBatch) => void) => Reading): unknown {
  const hashes = EVENT_COLUMNS.map(() => createHash("sha256"));
  try {
    const { problems, end } = open((batch) => {
      for (const [i, name] of EVENT_COLUMNS.entries()) {
        const values = batch[name].subarray(0, batch.length);
        hashes[i]?.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      }
    });
    const { epochNs, ...meta } = end();
    const rows = EVENT_COLUMNS.map((name, i) => `${name} ${hashes[i]?.digest("hex").slice(0, 16)}`);
    return { rows, epochNs: String(epochNs), meta, problems: problems.list() };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.message;
  }
}

export interface Sample {
  readonly name: string;
  readonly bytes: () => Uint8Array;
}

/** The committed specimens and recordings. */
export function ownSamples(): Sample[] {
  return [...samplesIn(SPECIMENS), ...samplesIn(OWN)];
}

/** Recordings beside the repository; none when there are none. */
export function sharedSamples(): Sample[] {
  return samplesIn(SHARED);
}

function samplesIn(root: string): Sample[] {
  let names: string[];
  try {
    names = readdirSync(root, { recursive: true, encoding: "utf8" });
  } catch {
    return [];
  }
  return names
    .filter(
      (name) => /\.(?:txt|csv|html)(?:\.zst|\.gz)?$/.test(name) && !/\.(?:rows\.txt|truth\.csv)$/.test(name),
    )
    .sort()
    .map((name) => ({ name, bytes: () => unpacked(join(root, name)) }));
}

function unpacked(path: string): Uint8Array {
  const bytes = new Uint8Array(readFileSync(path));
  if (path.endsWith(".zst")) return decompress(bytes);
  return path.endsWith(".gz") ? new Uint8Array(gunzipSync(bytes)) : bytes;
}
