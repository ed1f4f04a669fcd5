// Traces in memory for the replay's tests: a recording of traces/ or any text, ingested once, replayed as often as a
// test likes with rows left out or changed, and the result tables as plain rows. Used by every test of this folder.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decompress } from "fzstd";
import { CODECS } from "../../src/cli/codecs.ts";
import { type NamedSource, openIngest, openRecording } from "../../src/ingest/index.ts";
import { type ReplayOptions, replay } from "../../src/replay/index.ts";
import type { ColumnTable, RowOf, TableSpec } from "../../src/table/columns.ts";
import type { EventBatch, TraceMeta } from "../../src/table/event-batch.ts";
import { EVENT_COLUMNS, newBatch } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";
import {
  type BlockRow,
  type DenialRow,
  type ExposureRow,
  type ForkRow,
  type NearMissRow,
  newVerdictTables,
  type PolicyId,
  type ProblemRow,
  type ReplayInfo,
  type VerdictRow,
} from "../../src/table/verdict-tables.ts";

/** The counts of traces/manifest.json; traces/README.md says how they were made. */
export interface Truth {
  readonly forks: number;
  readonly forks_before_samples?: number;
  readonly sampled_1_1: number;
  readonly users_gt1: number;
  readonly count_gt1: number;
  readonly other_cpu_active: number;
  readonly fast_and_active: number;
  readonly fast_and_active_starts?: readonly string[];
}

export interface ManifestEntry {
  readonly file: string;
  readonly workload: string;
  readonly kernel: string;
  readonly truth: Truth | null;
}

/** An ingested trace. */
export interface Trace {
  readonly meta: TraceMeta;
  readonly batches: readonly EventBatch[];
}

/** What a replay said, as plain rows. */
export interface Outcome {
  readonly info: ReplayInfo;
  readonly forks: readonly ForkRow[];
  readonly exposures: readonly ExposureRow[];
  readonly blocks: readonly BlockRow[];
  readonly nearMisses: readonly NearMissRow[];
  readonly denials: readonly DenialRow[];
  readonly problems: readonly ProblemRow[];
  /** Verdict rows of a policy, indexed by fork. */
  verdicts(policy: PolicyId): readonly VerdictRow[];
}

const TRACES = new URL("../../traces/", import.meta.url);

/** All recordings, as traces/manifest.json lists them. */
export const MANIFEST: readonly ManifestEntry[] = (
  JSON.parse(readFileSync(new URL("manifest.json", TRACES), "utf8")) as {
    readonly recordings: readonly ManifestEntry[];
  }
).recordings;

const loaded = new Map<string, Trace>();

/** The recording at traces/`file`; ingested on first use, then kept. */
export function recording(file: string): Trace {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  const trace = ingest(decompress(readFileSync(fileURLToPath(new URL(file, TRACES)))), file);
  loaded.set(file, trace);
  return trace;
}

/** Reads a trace of any format. */
export function ingest(bytes: Uint8Array, path: string): Trace {
  const batches: EventBatch[] = [];
  const reader = openIngest({ path }, (batch) => batches.push(copyRows(batch, (_, i) => i < batch.length)));
  reader.push(bytes);
  const meta = reader.end();
  return { meta, batches };
}

/** Reads a recording of several files. */
export function ingestFiles(files: readonly NamedSource[], path: string): Trace {
  const batches: EventBatch[] = [];
  const reader = openRecording({ path, files, codecs: CODECS }, (batch) =>
    batches.push(copyRows(batch, (_, i) => i < batch.length)),
  );
  return { meta: reader.read(), batches };
}

/** The trace with only the rows that `keep` wants. `row`: number of the row in the whole trace. */
export function filterRows(
  trace: Trace,
  keep: (batch: EventBatch, i: number, row: number) => boolean,
): Trace {
  let base = 0;
  const batches = trace.batches.map((batch) => {
    const kept = copyRows(batch, (from, i) => keep(from, i, base + i));
    base += batch.length;
    return kept;
  });
  return withRows(trace.meta, batches);
}

/** The trace with `change` applied to a copy of every row. */
export function mapRows(trace: Trace, change: (batch: EventBatch, i: number) => void): Trace {
  const batches = trace.batches.map((batch) => {
    const copy = copyRows(batch, () => true);
    for (let i = 0; i < copy.length; i++) change(copy, i);
    return copy;
  });
  return withRows(trace.meta, batches);
}

/** A trace of other rows: what the recording shows of each kind is counted anew. */
function withRows(meta: TraceMeta, batches: readonly EventBatch[]): Trace {
  const kinds = EVENT_KIND_NAMES.map(() => 0);
  let rows = 0;
  for (const batch of batches) {
    rows += batch.length;
    for (let i = 0; i < batch.length; i++) kinds[batch.kind[i]!]! += 1;
  }
  return { meta: { ...meta, rows, kinds }, batches };
}

/** Without one row in `of`, by chance, the same ones for a seed. */
export function thinned<T>(rows: readonly T[], seed: number, of: number): T[] {
  let x = seed;
  return rows.filter(() => {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    return x % of !== 0;
  });
}

/** Rows of a trace, over all batches. */
export function rowCount(trace: Trace): number {
  return trace.batches.reduce((sum, batch) => sum + batch.length, 0);
}

function copyRows(from: EventBatch, keep: (batch: EventBatch, i: number) => boolean): EventBatch {
  const to = newBatch(from.length);
  for (let i = 0; i < from.length; i++) {
    if (keep(from, i)) appendRow(to, from, i);
  }
  return to;
}

/** Copies row `i` of `from` to the end of `to`, which has room for it. */
export function appendRow(to: EventBatch, from: EventBatch, i: number): void {
  for (const name of EVENT_COLUMNS) to[name][to.length] = from[name][i]!;
  to.length++;
}

/** Every row in a batch of its own; the batch is used again for the next. */
export function* rowByRow(batches: Iterable<EventBatch>): Generator<EventBatch> {
  const one = newBatch(1);
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i++) {
      one.length = 0;
      appendRow(one, batch, i);
      yield one;
    }
  }
}

/** Replays a trace. */
export async function run(trace: Trace, options: ReplayOptions = {}): Promise<Outcome> {
  const tables = newVerdictTables();
  const table = {
    meta: trace.meta,
    forEachBatch: async (visit: (batch: EventBatch) => void): Promise<void> => {
      for (const batch of trace.batches) visit(batch);
    },
  };
  const info = await replay(table, options, tables, 0);
  const verdicts = new Map<string, VerdictRow[]>();
  for (const row of rowsOf(tables.verdicts)) {
    const list = verdicts.get(row.policy ?? "") ?? [];
    list[row.fork ?? -1] = row;
    verdicts.set(row.policy ?? "", list);
  }
  return {
    info,
    forks: rowsOf(tables.forks),
    exposures: rowsOf(tables.exposures),
    blocks: rowsOf(tables.blocks),
    nearMisses: rowsOf(tables.near_misses),
    denials: rowsOf(tables.denials),
    problems: rowsOf(tables.problems),
    verdicts: (policy) => verdicts.get(policy) ?? [],
  };
}

function rowsOf<S extends TableSpec>(table: ColumnTable<S>): RowOf<S>[] {
  return Array.from({ length: table.length }, (_, i) => table.row(i));
}

/** "line 812: 1 claimed, 2 sampled": a count claimed wrongly; null when the claim stands or there is no sample. */
export function wrongClaim(fork: ForkRow, which: "users" | "count"): string | null {
  const sampled = fork[`sampled_${which}`];
  const value = fork[`derived_${which}`];
  if (sampled === null || value === null) return null;
  const isExact = fork[`derived_${which}_evidence`] === "derived";
  if (isExact ? value === sampled : value <= sampled) return null;
  return `line ${fork.line}: ${which} ${isExact ? "" : "at least "}${value} claimed, ${sampled} sampled`;
}
