// The door for binary formats: a recording's files in, event batches out. Text goes through ../index.ts, which is
// pushed bytes; these formats need random access. Called by the CLI, which does the I/O.
import { InputError } from "../../base/errors.ts";
import type { ProblemLog } from "../../base/problem.ts";
import { BATCH_ROWS, type EventBatch, type TraceMeta } from "../../table/event-batch.ts";
import { CtfReader } from "../ctf/index.ts";
import { PerfDataReader } from "../perf-data/index.ts";
import { PerfettoReader } from "../perfetto-arrow/index.ts";
import { RawPagesReader } from "../raw-pages/index.ts";
import { Sink } from "../sink.ts";
import type { Codecs, NamedSource } from "../source.ts";
import { TraceDatReader } from "../trace-dat/index.ts";
import { type KnownMeta, knownMeta, refuseEmpty, traceMeta } from "../trace-meta.ts";
import { detectRecording, type RecordingFormat } from "./detect.ts";
import type { RecordingReader, RecordingReaderOptions } from "./reader.ts";

/** What can hold the files of one recording. */
export type Container = "directory" | "archive";

export interface RecordingOptions {
  /** For messages and TraceMeta. */
  readonly path: string;
  /** One file, or all files of a directory sorted by name. */
  readonly files: readonly NamedSource[];
  /** What holds the files; absent for a file that is the whole recording. */
  readonly container?: Container;
  readonly codecs: Codecs;
  /** Forces a format; without it the content decides. */
  readonly format?: RecordingFormat;
  /** EVENT -> FUNCTION, from --probe. */
  readonly probes?: ReadonlyMap<string, string>;
  /** Rows per batch. */
  readonly batchRows?: number;
  /** Reads by the reference only, which the fast ways are held against. */
  readonly naive?: boolean;
  readonly onProgress?: (read: number) => void;
}

/** One recording that is open. */
export interface Recording {
  readonly format: RecordingFormat;
  /** Reads all of it, once. Throws InputError when nothing in it is usable. */
  read(): TraceMeta;
  readonly problems: ProblemLog;
  /** Absolute ns (ticks) of the rows' zero; valid from the first onBatch call on. */
  readonly epochNs: bigint;
  /** As Ingest.knownMeta. */
  readonly knownMeta: KnownMeta;
}

type ReaderClass = new (options: RecordingReaderOptions) => RecordingReader;

const READERS: ReadonlyMap<RecordingFormat, ReaderClass> = new Map<RecordingFormat, ReaderClass>([
  ["trace-dat", TraceDatReader],
  ["perf-data", PerfDataReader],
  ["ctf", CtfReader],
  ["raw-pages", RawPagesReader],
  ["perfetto-arrow", PerfettoReader],
]);

/** Opens a recording. A batch is only valid during its onBatch call. Throws InputError when the format is unknown. */
export function openRecording(options: RecordingOptions, onBatch: (batch: EventBatch) => void): Recording {
  const { path, files, codecs } = options;
  const format = options.format ?? detectRecording(files);
  const Reader = format === null ? undefined : READERS.get(format);
  if (format === null || Reader === undefined) {
    const { container } = options;
    const held = container === "archive" ? "an archive" : "a directory";
    const what = container === undefined ? "is a file" : `is ${held} (${files.length} files in it)`;
    throw new InputError("ingest/unknown-format", `${path}: ${what} that is no recording of a known format`);
  }
  const sink = new Sink(options.batchRows ?? BATCH_ROWS, onBatch);
  const reader = new Reader({
    sink,
    path,
    files,
    codecs,
    probes: options.probes ?? new Map(),
    naive: options.naive ?? false,
    onProgress: options.onProgress ?? (() => {}),
  });
  return {
    format,
    problems: sink.problems,
    get epochNs() {
      return sink.epochNs;
    },
    get knownMeta() {
      return knownMeta(sink);
    },
    read: () => {
      reader.read();
      refuseEmpty(sink, path, format, reader);
      sink.end();
      return traceMeta(sink, path, format, reader, reader.records);
    },
  };
}
