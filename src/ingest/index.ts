// The room's door: bytes of one trace in, event batches out. Detects the format, wires splitter, reader and sink
// together, and sums up what was read. Called by the CLI, which does the I/O and the decompression.
import { InputError } from "../base/errors.ts";
import type { ProblemLog } from "../base/problem.ts";
import { BATCH_ROWS, type EventBatch, type TraceMeta } from "../table/event-batch.ts";
import { BabeltraceTextReader } from "./babeltrace-text/index.ts";
import { BpftraceJsonReader } from "./bpftrace-json/index.ts";
import { CsvReader } from "./csv/index.ts";
import { DETECT_BYTES, detect, type FormatName, refuseBinary } from "./detect.ts";
import { FtraceTextReader } from "./ftrace-text/index.ts";
import { LineSplitter, oneByOne } from "./lines.ts";
import { skipBlanks } from "./numbers.ts";
import { type Part, type PartState, partState, takePart } from "./part.ts";
import { PerfScriptReader } from "./perf-script/index.ts";
import { TRUNCATED_LINE } from "./problems.ts";
import type { FormatReader, ReaderOptions } from "./reader.ts";
import { Sink } from "./sink.ts";
import { SystraceHtmlReader } from "./systrace-html/index.ts";
import { TraceCmdReportReader } from "./trace-cmd-report/index.ts";
import { type KnownMeta, knownMeta, refuseEmpty, traceMeta } from "./trace-meta.ts";

export { type Detection, detect, FORMATS, type FormatName } from "./detect.ts";
export { type Part, type PartState, readPart } from "./part.ts";
export { INGEST_PROBLEMS } from "./problems.ts";
export {
  detectRecordingHead,
  RECORDING_FORMATS,
  type RecordingFormat,
} from "./recordings/detect.ts";
export { type Container, openRecording, type Recording, type RecordingOptions } from "./recordings/index.ts";
export { type ByteSource, CodecError, type Codecs, type NamedSource } from "./source.ts";
export type { KnownMeta } from "./trace-meta.ts";

export interface IngestOptions {
  /** For messages and TraceMeta; the file is not opened. */
  readonly path: string;
  /** Forces a format; without it the content decides. */
  readonly format?: FormatName;
  /** EVENT -> FUNCTION, from --probe. */
  readonly probes?: ReadonlyMap<string, string>;
  /** Rows per batch. */
  readonly batchRows?: number;
  /** Gives every line to the reference that the fast ways are tested against: the readers' line(), a CSV's to papaparse. */
  readonly naive?: boolean;
}

/** One trace being read. */
export interface Ingest {
  /**
   * Takes the next decompressed bytes, any number of them; the chunk may be reused afterwards. Throws InputError
   * as soon as the input turns out unusable.
   */
  push(chunk: Uint8Array): void;
  /** What the bytes that follow can be read with by readPart; null while they have to be pushed. */
  partState(): PartState | null;
  /**
   * As push() of whole lines, of which `part` is what readPart made with the partState() of now or earlier. `bytes` is
   * asked for them when they are needed.
   */
  pushPart(part: Part, bytes: () => Uint8Array): void;
  /** Flushes and sums up. Throws InputError when nothing in the input is usable. */
  end(): TraceMeta;
  readonly problems: ProblemLog;
  /** Absolute ns (ticks) of the rows' zero; valid from the first onBatch call on. */
  readonly epochNs: bigint;
  /** What is known of the trace as far as it has been read, which is further than the batches passed on. */
  readonly knownMeta: KnownMeta;
}

/** Starts reading a trace. A batch is only valid during its onBatch call. */
export function openIngest(options: IngestOptions, onBatch: (batch: EventBatch) => void): Ingest {
  return new TraceIngest(options, onBatch);
}

const READERS: Readonly<Record<FormatName, new (options: ReaderOptions) => FormatReader>> = {
  "ftrace-text": FtraceTextReader,
  "trace-cmd-report": TraceCmdReportReader,
  "perf-script": PerfScriptReader,
  csv: CsvReader,
  "babeltrace-text": BabeltraceTextReader,
  "systrace-html": SystraceHtmlReader,
  "bpftrace-json": BpftraceJsonReader,
};

interface Pipeline {
  readonly format: FormatName;
  readonly reader: FormatReader;
  readonly splitter: LineSplitter;
}

class TraceIngest implements Ingest {
  readonly #options: IngestOptions;
  readonly #sink: Sink;
  /** The input's first bytes, kept until there are enough to tell the format. */
  readonly #head: Uint8Array = new Uint8Array(DETECT_BYTES);
  #headLength = 0;
  #pipeline: Pipeline | null = null;

  constructor(options: IngestOptions, onBatch: (batch: EventBatch) => void) {
    this.#options = options;
    this.#sink = new Sink(options.batchRows ?? BATCH_ROWS, onBatch);
  }

  get problems(): ProblemLog {
    return this.#sink.problems;
  }

  get epochNs(): bigint {
    return this.#sink.epochNs;
  }

  get knownMeta(): KnownMeta {
    return knownMeta(this.#sink);
  }

  push(chunk: Uint8Array): void {
    // A Buffer gets a plain view: one hidden class in the hot loops, and Uint8Array's own indexOf.
    let rest = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    if (this.#pipeline === null) {
      const taken = Math.min(chunk.length, DETECT_BYTES - this.#headLength);
      this.#head.set(rest.subarray(0, taken), this.#headLength);
      this.#headLength += taken;
      if (this.#headLength < DETECT_BYTES) return;
      this.#start();
      rest = rest.subarray(taken);
    }
    if (rest.length > 0) this.#pipeline?.splitter.push(rest);
  }

  partState(): PartState | null {
    if (this.#pipeline === null || this.#options.naive === true) return null;
    // An open line does not matter: what it teaches the reader the state merely lacks.
    const { format, reader } = this.#pipeline;
    return partState(format, reader, this.#sink);
  }

  pushPart(part: Part, bytes: () => Uint8Array): void {
    if (this.#pipeline === null || this.#pipeline.splitter.hasOpenLine) {
      this.push(bytes());
      return;
    }
    const { reader, splitter } = this.#pipeline;
    const isTaken = takePart(part, reader, this.#sink, bytes, splitter.lines);
    if (isTaken) splitter.skip(part.lines);
    if (!isTaken || part.left > 0) this.push(bytes().subarray(isTaken ? part.bytes : 0));
  }

  end(): TraceMeta {
    const { format, reader, splitter } = this.#pipeline ?? this.#start();
    splitter.end((bytes, start, end, lineNo) => {
      if (skipBlanks(bytes, start, end) < end) {
        this.#sink.problem(TRUNCATED_LINE, lineNo, bytes, start, end);
      }
    });
    reader.end();
    this.#refuseUnusable(format, reader);
    this.#sink.end();
    return traceMeta(this.#sink, this.#options.path, format, reader, splitter.lines);
  }

  #start(): Pipeline {
    const { path, format: forced, probes, naive = false } = this.#options;
    const hasMark = this.#head[0] === 0xef && this.#head[1] === 0xbb && this.#head[2] === 0xbf;
    const head = this.#head.subarray(hasMark ? 3 : 0, this.#headLength);
    if (forced !== undefined) refuseBinary(head, path);
    const format = forced ?? detect(head, path).format;
    const reader = new READERS[format]({ sink: this.#sink, probes: probes ?? new Map(), naive });
    const splitter = new LineSplitter(naive ? oneByOne(reader) : reader);
    const pipeline = { format, reader, splitter };
    this.#pipeline = pipeline;
    pipeline.splitter.push(head);
    return pipeline;
  }

  #refuseUnusable(format: FormatName, reader: FormatReader): void {
    const { path, format: forced } = this.#options;
    if (forced === undefined && reader.unmatched > reader.matched) {
      throw new InputError(
        "ingest/mixed-format",
        `${path} looks like ${format}, but ${reader.unmatched} of ${reader.unmatched + reader.matched} lines are ` +
          `nothing ${format} prints; --format ${format} reads it all the same`,
      );
    }
    refuseEmpty(this.#sink, path, format, reader);
  }
}
