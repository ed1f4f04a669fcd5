// One trace into one events.arrow: reading, decompression, ingest and the Arrow writer put together.
// Called by the commands analyze and ingest.
import { createHash } from "node:crypto";
import { InputError } from "../base/errors.ts";
import type { ProblemLog } from "../base/problem.ts";
import { FORMATS, type FormatName, openIngest } from "../ingest/index.ts";
import { EventFileWriter } from "../table/arrow.ts";
import type { TraceMeta } from "../table/event-batch.ts";
import type { Defect } from "./decoder.ts";
import { UsageError } from "./exit.ts";
import { openSink } from "./files.ts";
import type { IngestCliOptions } from "./options.ts";
import { openProgress } from "./progress.ts";
import { quotePath, readTrace } from "./trace-input.ts";

/** The --format value as ingest knows it. Throws UsageError listing the formats. */
export function formatOf(options: IngestCliOptions): FormatName | undefined {
  if (options.format === undefined) return undefined;
  const known = FORMATS.find((name) => name === options.format);
  if (known === undefined) {
    throw new UsageError(`unknown format ${JSON.stringify(options.format)}; known: ${FORMATS.join(", ")}`);
  }
  return known;
}

/**
 * Reads the trace at `path` and writes its events to `eventsPath`. The returned meta carries the problems met.
 * Throws InputError when nothing in the trace is usable.
 */
export async function ingestTrace(
  path: string,
  options: IngestCliOptions,
  eventsPath: string,
): Promise<TraceMeta> {
  const format = formatOf(options);
  const sink = openSink(eventsPath);
  const progress = openProgress(quotePath(path));
  try {
    const writer = new EventFileWriter((bytes) => sink.write(bytes));
    const ingest = openIngest(
      { path, probes: options.probe, ...(format === undefined ? {} : { format }) },
      (batch) => writer.batch(batch, ingest.epochNs),
    );
    const hash = createHash("sha256");
    const defect = await readTrace(path, {
      onStored: (bytes) => hash.update(bytes),
      onBytes: (bytes) => ingest.push(bytes),
      onProgress: (read, size) => progress.update(read, size),
    });
    const meta = { ...endOf(ingest, path, defect), sha256: hash.digest("hex") };
    writer.finish(meta);
    return meta;
  } finally {
    progress.clear();
    sink.close();
  }
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
