// Makes long ftrace texts out of a short recording: the events again and again, each copy moved in time so that
// the whole stays in order. Streaming: the recording is held once, the output never. Used by run.ts.
import { closeSync, openSync, writeSync } from "node:fs";

const FLUSH_CHARACTERS = 4 << 20;
/** Pause between two copies, microseconds. */
const GAP_US = 1000;

interface Line {
  /** Up to the time stamp. */
  readonly before: string;
  /** Time stamp in microseconds; -1: the line has none (a loss, a buffer start) and is repeated as it is. */
  readonly us: number;
  /** From the colon on, with the line end. */
  readonly after: string;
}

/** Writes copies of `recording` (ftrace text, microsecond stamps) to `path` until it has at least `bytes` bytes. Returns its lines. */
export function writeRepeated(recording: string, path: string, bytes: number): number {
  const all = recording.split("\n").filter((line) => line !== "");
  const head = all.filter((line) => line.startsWith("#") && !line.startsWith("##"));
  const lines = all.slice(head.length).map(splitLine);
  const stamped = lines.filter((line) => line.us >= 0);
  const first = stamped[0]?.us ?? 0;
  const period = (stamped.at(-1)?.us ?? 0) - first + GAP_US;
  const fd = openSync(path, "w");
  let text = `${head.join("\n")}\n`;
  let written = 0;
  let count = head.length;
  for (let copy = 0; written + text.length < bytes; copy++) {
    for (const line of lines) {
      text += line.us < 0 ? line.after : line.before + stamp(line.us + copy * period) + line.after;
      if (text.length < FLUSH_CHARACTERS) continue;
      written += writeSync(fd, text);
      text = "";
    }
    count += lines.length;
  }
  writeSync(fd, text);
  closeSync(fd);
  return count;
}

/** "  bash-1629 [003] d..2.   261.324618: mmput: …": the stamp is the last of its form before the event's name. */
function splitLine(line: string): Line {
  const match = /^(.{16,}?\[\d{3}\] \S* +)(\d+)\.(\d{6})(: .*)$/.exec(line);
  if (match === null) return { before: "", us: -1, after: `${line}\n` };
  const [, before = "", seconds = "", micros = "", after = ""] = match;
  return { before, us: Number(seconds) * 1e6 + Number(micros), after: `${after}\n` };
}

function stamp(us: number): string {
  const seconds = Math.floor(us / 1e6);
  return `${seconds}.${String(us - seconds * 1e6).padStart(6, "0")}`;
}
