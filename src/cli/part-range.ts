// One range of a long text file, read apart straight into the kernel's memory: by a worker thread (part-worker.ts) or by
// the main one while it has nothing to take in (text-file.ts).
import { type Part, type PartState, partRoom, readPart } from "../ingest/part.ts";
import { readAt } from "./read-at.ts";

const LF = 0x0a;
/** A line that begins in the range is read when it ends no further behind it. */
const TAIL_BYTES = 64 << 10;

export interface Range {
  /** Open for reading; descriptors are the whole process's. */
  readonly fd: number;
  /** The lines that begin in bytes [from, to) of the file; `from` is not its beginning. */
  readonly from: number;
  readonly to: number;
  readonly size: number;
}

/** A part that stands in bytes [start, end) of the file. */
export interface RangePart {
  readonly start: number;
  readonly end: number;
  readonly part: Part;
}

/** Null when the range cannot be read apart. */
export function readRange({ fd, from, to, size }: Range, state: PartState): RangePart | null {
  // The byte before tells whether a line begins with the range.
  const base = from - 1;
  const room = partRoom(Math.min(size, to + TAIL_BYTES) - base);
  const bytes = fill(fd, room, base);
  const start = bytes.indexOf(LF) + 1;
  const isLast = to === size;
  const end = (isLast ? bytes.lastIndexOf(LF) : bytes.indexOf(LF, to - 1 - base)) + 1;
  if (start === 0 || end <= start) return null;
  const part = readPart(state, bytes, start, end);
  return part === null ? null : { start: base + start, end: base + end, part };
}

/** Nothing when the system refuses: whoever reads the range instead says why. */
function fill(fd: number, into: Uint8Array, at: number): Uint8Array {
  try {
    return readAt(fd, into, at);
  } catch {
    return new Uint8Array(0);
  }
}
