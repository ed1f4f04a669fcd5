// Which binary format a recording is, from the first bytes of its files: never from a name's ending. Called by the
// door of this room and by the CLI, which has to know whether an input needs random access.
import { holdsCtf } from "../ctf/files.ts";
import { holdsPerfetto } from "../perfetto-arrow/files.ts";
import { holdsRawPages } from "../raw-pages/files.ts";
import type { NamedSource } from "../source.ts";

/** Binary formats that can be read; the names are those of --format and TraceMeta.format. */
export const RECORDING_FORMATS = ["trace-dat", "perf-data", "ctf", "raw-pages", "perfetto-arrow"] as const;
export type RecordingFormat = (typeof RECORDING_FORMATS)[number];

/** Bytes of a file that detection looks at. */
const MAGIC_BYTES = 16;

interface Magic {
  readonly format: RecordingFormat;
  readonly bytes: readonly number[];
}

const MAGICS: readonly Magic[] = [
  // trace-cmd.dat(5): 17 08 44 "tracing"
  { format: "trace-dat", bytes: [0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63, 0x69, 0x6e, 0x67] },
  // perf.data-file-format.txt: "PERFILE2" in either byte order
  { format: "perf-data", bytes: [0x50, 0x45, 0x52, 0x46, 0x49, 0x4c, 0x45, 0x32] },
  { format: "perf-data", bytes: [0x32, 0x45, 0x4c, 0x49, 0x46, 0x52, 0x45, 0x50] },
];

/** The format of a file that begins with `head` (at least MAGIC_BYTES of it, less when it is shorter); null for others. */
export function detectRecordingHead(head: Uint8Array): RecordingFormat | null {
  for (const { format, bytes } of MAGICS) if (bytes.every((byte, i) => head[i] === byte)) return format;
  return null;
}

/** The format of a recording; null when its files are none that is known. */
export function detectRecording(files: readonly NamedSource[]): RecordingFormat | null {
  if (holdsRawPages(files)) return "raw-pages";
  if (holdsPerfetto(files)) return "perfetto-arrow";
  if (holdsCtf(files)) return "ctf";
  const [file] = files;
  return files.length === 1 && file !== undefined ? detectRecordingHead(file.readAt(0, MAGIC_BYTES)) : null;
}
