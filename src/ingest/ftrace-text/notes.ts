// Lines ftrace prints between events: gaps, buffer starts, overlong lines. Read by index.ts when a line is no event.
import { decodeSample } from "../numbers.ts";

/** A line that is no event. */
export type FtraceNote =
  | { readonly is: "lost"; readonly cpu: number; readonly events: number }
  | { readonly is: "started"; readonly cpu: number }
  | { readonly is: "too-big" }
  | { readonly is: "thread-list" }
  | { readonly is: "frame" };

/** Which note bytes[start, end) is; null when it is none. */
export function readNote(bytes: Uint8Array, start: number, end: number): FtraceNote | null {
  const text = decodeSample(bytes, start, end);
  // "CPU:3 [LOST 3290 EVENTS]", "CPU:3 [LOST EVENTS]": print_trace_line(), kernel/trace/trace.c
  const lost = /^CPU:(\d+) \[LOST (?:(\d+) )?EVENTS\]/.exec(text);
  if (lost !== null)
    return { is: "lost", cpu: Number(lost[1]), events: lost[2] === undefined ? -1 : Number(lost[2]) };
  // "##### CPU 2 buffer started ####": test_cpu_buff_start()
  const started = /^##### CPU (\d+) buffer started ####/.exec(text);
  if (started !== null) return { is: "started", cpu: Number(started[1]) };
  if (text.includes("[LINE TOO BIG]")) return { is: "too-big" };
  // "USER     PID   PPID  VSIZE  RSS …  NAME": systrace appends what ps prints to atrace's output
  if (/^USER +PID +(?:PPID|TID) /.test(text)) return { is: "thread-list" };
  // "TRACE:" of atrace, "# TRACE:" of bytrace, "capturing trace... done"
  if (/^\s*(?:#|TRACE:|capturing trace)/.test(text)) return { is: "frame" };
  return null;
}
