// Makes long traces out of a short recording: its events again and again, each copy moved in time so that the whole
// stays in order, and between them the lines of a mix (mixes.ts). Streaming: one copy is held, the output never.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { decompress } from "fzstd";
import { Dealer, MIXES, type MixName } from "./mixes.ts";

export type TraceFormat = "ftrace" | "perf" | "csv";
export const TRACE_FORMATS: readonly TraceFormat[] = ["ftrace", "perf", "csv"];

const FLUSH_CHARACTERS = 4 << 20;
/** Pause between two copies, in the stamps' unit. */
const GAP = 1000;

interface Line {
  /** Up to the time stamp. */
  readonly before: string;
  /** In microseconds, of a CSV in nanoseconds; -1: the line has none (a loss, a buffer start) and is repeated as it is. */
  readonly at: number;
  /** From the stamp's end on, with the line end. */
  readonly after: string;
}

interface Style {
  readonly isHeader: (line: string) => boolean;
  /** Groups: before, seconds (a CSV: ns), microseconds, after. */
  readonly line: RegExp;
  readonly isSwitch: (line: Line) => boolean;
}

const STYLES: Readonly<Record<TraceFormat, Style>> = {
  // "  bash-1629 [003] d..2.   261.324618: mmput: …": the stamp is the last of its form before the event's name.
  ftrace: {
    isHeader: (line) => line.startsWith("#") && !line.startsWith("##"),
    line: /^(.{16,}?\[\d{3}\] \S* +)(\d+)\.(\d{6})(: .*)$/,
    isSwitch: ({ after }) => after.startsWith(": sched_switch:"),
  },
  // "     rcu_preempt    15/15    [003]   554.704367:       sched:sched_switch: …"
  perf: {
    isHeader: (line) => line.startsWith("#"),
    line: /^(.{16,}?\[\d{3}\] +)(\d+)\.(\d{6})(: .*)$/,
    isSwitch: ({ after }) => /^: +sched:sched_switch:/.test(after),
  },
  csv: {
    isHeader: (line) => !/^\d/.test(line),
    line: /^()(\d+)()(,.*)$/,
    isSwitch: () => false,
  },
};

/** Writes copies of the recording at `path` (.zst) with the lines of `mix` between them to `out` until it has `bytes` bytes. Returns its lines. */
export function writeWorkload(
  path: string,
  format: TraceFormat,
  mix: MixName,
  out: string,
  bytes: number,
): number {
  const text = new TextDecoder().decode(decompress(readFileSync(path)));
  const style = STYLES[format];
  const all = text.split("\n").filter((line) => line !== "");
  const head = all.filter(style.isHeader);
  const recorded = all.filter((line) => !style.isHeader(line)).map((line) => splitLine(line, format));
  const lines = format === "csv" ? recorded : withFillers(recorded, format, mix);
  const stamps = lines.filter((line) => line.at >= 0).map((line) => line.at);
  const first = stamps.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const period = stamps.reduce((a, b) => Math.max(a, b), 0) - first + GAP;
  const print = format === "csv" ? String : printMicroseconds;
  const fd = openSync(out, "w");
  let pending = `${head.join("\n")}\n`;
  let written = 0;
  let count = head.length;
  for (let copy = 0; written + pending.length < bytes; copy++) {
    for (const line of lines) {
      pending += line.at < 0 ? line.after : line.before + print(line.at + copy * period) + line.after;
      count++;
      if (pending.length < FLUSH_CHARACTERS) continue;
      written += writeSync(fd, pending);
      pending = "";
      if (written >= bytes) break;
    }
  }
  writeSync(fd, pending);
  closeSync(fd);
  return count;
}

function splitLine(line: string, format: TraceFormat): Line {
  const match = STYLES[format].line.exec(line);
  if (match === null) return { before: "", at: -1, after: `${line}\n` };
  const [, before = "", whole = "", micros = "", after = ""] = match;
  const at = format === "csv" ? Number(whole) : Number(whole) * 1e6 + Number(micros);
  return { before, at, after: `${after}\n` };
}

/** Spreads the mix's lines evenly over the recording's; each takes task, CPU and time of the line before it. */
function withFillers(recorded: readonly Line[], format: "ftrace" | "perf", name: MixName): Line[] {
  const mix = MIXES[name];
  const switches = recorded.filter(STYLES[format].isSwitch).length;
  const perLine = (switches * mix.perSwitch) / recorded.length;
  const dealer = new Dealer(mix);
  const out: Line[] = [];
  let owed = 0;
  for (const line of recorded) {
    out.push(line);
    if (line.at < 0) continue;
    for (owed += perLine; owed >= 1; owed--) {
      out.push({
        before: line.before,
        at: line.at,
        after: `: ${format === "perf" ? "      " : ""}${dealer.next(format)}\n`,
      });
    }
  }
  return out;
}

function printMicroseconds(us: number): string {
  const seconds = Math.floor(us / 1e6);
  return `${seconds}.${String(us - seconds * 1e6).padStart(6, "0")}`;
}
