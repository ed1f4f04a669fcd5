// One trace into one events.arrow: reading, decompression, ingest and the Arrow writer put together.
// Called by the commands analyze and ingest.
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { assert } from "../base/assert.ts";
import { InputError } from "../base/errors.ts";
import type { ProblemLog } from "../base/problem.ts";
import {
  FORMATS,
  type FormatName,
  type KnownMeta,
  openIngest,
  openRecording,
  RECORDING_FORMATS,
  type RecordingFormat,
} from "../ingest/index.ts";
import { EventFileWriter } from "../table/arrow.ts";
import type { EventBatch, TraceMeta } from "../table/event-batch.ts";
import { CODECS } from "./codecs.ts";
import type { Defect } from "./decoder.ts";
import { UsageError } from "./exit.ts";
import { APART_BYTES, FileHash } from "./file-hash.ts";
import { openSink } from "./files.ts";
import type { IngestCliOptions } from "./options.ts";
import { openProgress } from "./progress.ts";
import { type OpenedRecording, openInput } from "./recording-input.ts";
import { readInThread } from "./recording-thread.ts";
import type { Tally } from "./run-tally.ts";
import { feedTextFile, openTextFile } from "./text-file.ts";
import { quotePath, STDIN } from "./trace-input.ts";

const READ_BYTES = 1 << 20;

/** The --format value as ingest knows it: a text format, a binary one, or none given. */
export interface ForcedFormat {
  readonly text?: FormatName;
  readonly recording?: RecordingFormat;
}

/** Who follows a trace while it is read. */
export interface Listeners {
  readonly onRows?: (batch: EventBatch, known: KnownMeta) => void;
  readonly whenRead?: (meta: TraceMeta) => Promise<void>;
}

/** Reads --format. Throws UsageError listing the formats. */
export function formatOf({ format }: IngestCliOptions): ForcedFormat {
  if (format === undefined) return {};
  const text = FORMATS.find((name) => name === format);
  if (text !== undefined) return { text };
  const recording = RECORDING_FORMATS.find((name) => name === format);
  if (recording !== undefined) return { recording };
  const known = [...FORMATS, ...RECORDING_FORMATS].join(", ");
  throw new UsageError(`unknown format ${JSON.stringify(format)}; known: ${known}`);
}

/**
 * Reads the trace at `path` and writes its events to `eventsPath`. The returned meta carries the problems met. `tally` gets
 * the bytes read. `onRows` gets each batch in the file's order, valid during the call, and what is known of the trace then.
 * `whenRead` runs when the file can be read, whose meta may lack the checksum that is still being made.
 * Throws InputError when nothing in the trace is usable.
 */
export async function ingestTrace(
  path: string,
  options: IngestCliOptions,
  eventsPath: string,
  tally?: Tally,
  { onRows, whenRead }: Listeners = {},
): Promise<TraceMeta> {
  const format = formatOf(options);
  const sink = openSink(eventsPath);
  const progress = openProgress(quotePath(path));
  try {
    const writer = new EventFileWriter({ pieces: sink.writePieces });
    const ingest = openIngest(
      { path, probes: options.probe, ...(format.text === undefined ? {} : { format: format.text }) },
      (batch) => {
        writer.batch(batch, ingest.epochNs);
        onRows?.(batch, ingest.knownMeta);
      },
    );
    const onProgress = (read: number, size: number): void => progress.update(read, size);
    const textFile =
      path === STDIN || format.recording !== undefined ? null : openTextFile(path, format.text !== undefined);
    if (textFile !== null) {
      let read: TraceMeta | undefined;
      const sha256 = await feedTextFile(textFile, ingest, options.threads, onProgress, async () => {
        if (tally !== undefined) tally.bytes += textFile.size;
        read = endOf(ingest, path, undefined);
        writer.finish(read);
        progress.clear();
        await whenRead?.(read);
      });
      assert(read !== undefined, "all was read before the checksum");
      const meta = { ...read, sha256 };
      const { at, bytes } = writer.otherTail(meta);
      sink.endWith(bytes, at);
      return meta;
    }
    const hash = createHash("sha256");
    const input = await openInput(path, {
      onStored: (bytes) => hash.update(bytes),
      onText: (bytes) => {
        if (tally !== undefined) tally.bytes += bytes.length;
        ingest.push(bytes);
      },
      onProgress,
      spoolPath: `${eventsPath}.spool`,
      isForced: format.recording !== undefined,
      isText: format.text !== undefined,
    });
    let meta: TraceMeta;
    if (input.kind === "text") meta = { ...endOf(ingest, path, input.defect), sha256: hash.digest("hex") };
    else {
      const run = { path, options, format, writer, onProgress, onRows };
      const { read, sha256 } = await readRecording(input.opened, input.isInPlace, run);
      meta = { ...read, sha256: sha256 ?? hash.digest("hex") };
      if (tally !== undefined) tally.bytes += sizeOfAll(input.opened);
    }
    writer.finish(meta);
    progress.clear();
    await whenRead?.(meta);
    return meta;
  } finally {
    progress.clear();
    sink.close();
  }
}

/** What a recording is read with. */
interface RecordingRun {
  readonly path: string;
  readonly options: IngestCliOptions;
  readonly format: ForcedFormat;
  readonly writer: EventFileWriter;
  readonly onProgress: (read: number, size: number) => void;
  readonly onRows: Listeners["onRows"];
}

function sizeOfAll({ files }: OpenedRecording): number {
  return files.reduce((sum, file) => sum + file.size, 0);
}

/** `sha256` is null unless the files are the input itself. Closes them. */
async function readRecording(
  opened: OpenedRecording,
  isInPlace: boolean,
  run: RecordingRun,
): Promise<{ readonly read: TraceMeta; readonly sha256: string | null }> {
  const { fd } = opened;
  const size = sizeOfAll(opened);
  const isLong = isInPlace && fd !== undefined && size >= APART_BYTES;
  const hashing = isLong ? new FileHash(fd, size, 0) : null;
  try {
    const known = isInPlace && hashing === null ? hashOf(opened) : null;
    const isApart = isLong && (run.options.threads ?? availableParallelism()) > 1;
    const read = isApart ? await readApart(run, fd, size) : readHere(run, opened, size);
    return { read, sha256: hashing === null ? known : await hashing.digest() };
  } finally {
    await hashing?.end();
    opened.close();
  }
}

function readHere(run: RecordingRun, opened: OpenedRecording, size: number): TraceMeta {
  const { files, container } = opened;
  const recording = openRecording(
    {
      path: run.path,
      files,
      ...(container === undefined ? {} : { container }),
      codecs: CODECS,
      probes: run.options.probe,
      onProgress: (read) => run.onProgress(read, size),
      ...(run.format.recording === undefined ? {} : { format: run.format.recording }),
    },
    (batch) => {
      run.writer.batch(batch, recording.epochNs);
      run.onRows?.(batch, recording.knownMeta);
    },
  );
  const { problems } = recording;
  return endOf({ end: () => recording.read(), problems }, run.path, opened.defect);
}

/** By a thread of its own, of a file that is the recording as it stands. */
async function readApart(run: RecordingRun, fd: number, size: number): Promise<TraceMeta> {
  const { path, options, format, writer, onProgress, onRows } = run;
  const task = { path, fd, size, probes: options.probe, format: format.recording };
  const { meta, problems } = await readInThread(task, (batch, epochNs, known, read) => {
    writer.batch(batch, epochNs);
    onRows?.(batch, known);
    onProgress(read, size);
  });
  return { ...meta, problems };
}

/** SHA-256 of all files, one behind the other, in the order of their names. */
function hashOf({ files }: OpenedRecording): string {
  const hash = createHash("sha256");
  const room = new Uint8Array(READ_BYTES);
  for (const { size, readAt } of files) {
    for (let at = 0; at < size; at += READ_BYTES) hash.update(readAt(at, READ_BYTES, room));
  }
  return hash.digest("hex");
}

function endOf(
  ingest: { end(): TraceMeta; readonly problems: ProblemLog },
  path: string,
  defect: Defect | undefined,
): TraceMeta {
  let meta: TraceMeta;
  try {
    meta = ingest.end();
  } catch (error) {
    if (!(error instanceof InputError) || defect === undefined) throw error;
    throw new InputError(
      defect.kind.code,
      `${quotePath(path)}: no event could be decoded (${defect.detail})`,
    );
  }
  if (defect !== undefined) ingest.problems.add(defect.kind, 0, defect.detail);
  return { ...meta, problems: ingest.problems.list() };
}
