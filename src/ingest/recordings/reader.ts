// What the reader of a binary format gets and gives. recordings/index.ts picks one and asks it for its share of
// TraceMeta.
import type { ProbeInfo } from "../../table/event-batch.ts";
import type { Sink } from "../sink.ts";
import type { Codecs, NamedSource } from "../source.ts";

/** A format's reader. Rows go into the sink, in time order as far as the format can tell. */
export interface RecordingReader {
  /** Reads everything, once. Throws InputError when the recording is unusable as a whole. */
  read(): void;
  /** Records or events met, whatever became of them: TraceMeta.lines. Rows' `line` counts what formats.md says. */
  readonly records: number;
  /** Events per name that replay has no use for. */
  skipped(): Record<string, number>;
  probes(): ProbeInfo[];
}

/** What every reader is made from. */
export interface RecordingReaderOptions {
  readonly sink: Sink;
  /** For messages. */
  readonly path: string;
  /** One file, or the files of a directory. */
  readonly files: readonly NamedSource[];
  readonly codecs: Codecs;
  /** EVENT -> FUNCTION, from --probe. */
  readonly probes: ReadonlyMap<string, string>;
  /** As RecordingOptions.naive. */
  readonly naive: boolean;
  /** Called now and then with the bytes read so far. */
  readonly onProgress: (read: number) => void;
}
