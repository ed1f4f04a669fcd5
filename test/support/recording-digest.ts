// Rows of a recording boiled down to a count and a hash per event kind, so that two ways to read the same recording can
// be compared and an expectation stays small. A row is hashed as the text of what it says: names, not ids.
import { createHash, type Hash } from "node:crypto";
import { CODECS } from "../../src/cli/codecs.ts";
import { type NamedSource, openIngest, openRecording, type RecordingFormat } from "../../src/ingest/index.ts";
import type { EventBatch, TraceMeta } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind } from "../../src/table/event-kinds.ts";

export interface Digest {
  readonly events: number;
  readonly lost: number;
  /** "count hash" per kind of row. */
  readonly kinds: Readonly<Record<string, string>>;
  /** Events without a row, by name. */
  readonly skipped: Readonly<Record<string, number>>;
}

export interface Read {
  readonly meta: TraceMeta;
  readonly digest: Digest;
  readonly problems: readonly string[];
}

/** A file in memory as a source. */
export function sourceOf(bytes: Uint8Array, name = "recording"): NamedSource {
  return { name, size: bytes.length, readAt: (at, length) => bytes.subarray(at, at + length) };
}

export function readRecording(bytes: Uint8Array, format?: RecordingFormat): Read {
  return readFiles([sourceOf(bytes)], format);
}

/** A recording of several files. */
export function readFiles(files: readonly NamedSource[], format?: RecordingFormat): Read {
  const copies: EventBatch[] = [];
  const recording = openRecording(
    {
      path: "recording",
      files,
      codecs: CODECS,
      ...(format === undefined ? {} : { format }),
    },
    (batch) => copies.push(copyOf(batch)),
  );
  const meta = recording.read();
  return { meta, digest: digestOf(copies, meta), problems: recording.problems.list().map(problemText) };
}

export function readText(bytes: Uint8Array): Read {
  const copies: EventBatch[] = [];
  const ingest = openIngest({ path: "text" }, (batch) => copies.push(copyOf(batch)));
  ingest.push(bytes);
  const meta = ingest.end();
  return { meta, digest: digestOf(copies, meta), problems: ingest.problems.list().map(problemText) };
}

function problemText(p: { readonly kind: { readonly code: string }; readonly count: number }): string {
  return `${p.kind.code} ${p.count}`;
}

function copyOf(batch: EventBatch): EventBatch {
  const copy: Record<string, unknown> = { length: batch.length };
  for (const [name, column] of Object.entries(batch)) {
    if (ArrayBuffer.isView(column)) copy[name] = (column as Uint8Array).slice(0, batch.length);
  }
  return copy as unknown as EventBatch;
}

function digestOf(batches: readonly EventBatch[], meta: TraceMeta): Digest {
  const hashes = new Map<string, { count: number; hash: Hash }>();
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i++) {
      const kind = EVENT_KIND_NAMES[batch.kind[i]!]!;
      // From a recording's event list, which no tool prints: armed.test.ts.
      if (batch.kind[i] === EventKind.armed) continue;
      const entry = hashes.get(kind) ?? { count: 0, hash: createHash("sha256") };
      hashes.set(kind, entry);
      entry.count++;
      entry.hash.update(rowText(batch, i, meta));
    }
  }
  const kinds = [...hashes].sort(([a], [b]) => (a < b ? -1 : 1));
  const skipped = Object.entries(meta.skipped)
    .filter(([name]) => !name.startsWith("PERF_RECORD"))
    .map(([name, n]) => [name.slice(name.lastIndexOf(":") + 1), n] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    events: meta.events,
    lost: meta.lostEvents,
    kinds: Object.fromEntries(
      kinds.map(([k, { count, hash }]) => [k, `${count} ${hash.digest("hex").slice(0, 12)}`]),
    ),
    skipped: Object.fromEntries(skipped),
  };
}

/** Everything a row says but its line, its context bits and mm_access's caller: text has the last two only here and there. */
export function rowText(batch: EventBatch, i: number, meta: TraceMeta): string {
  const kind = batch.kind[i]!;
  const name = (id: number): string => (id < 0 ? "" : (meta.comms[id] ?? ""));
  const pointer = (id: number): string => (id < 0 ? "" : (meta.pointers[id] ?? ""));
  return [
    meta.epochNs + BigInt(batch.ns[i]!),
    kind,
    batch.cpu[i],
    batch.tid[i],
    name(batch.comm[i]!),
    batch.argTid[i],
    name(batch.argComm[i]!),
    pointer(batch.mm[i]!),
    pointer(batch.mm2[i]!),
    batch.users[i],
    batch.count[i],
    kind === EventKind.mmAccessRet ? 0 : batch.flags[i],
  ].join("|");
}
