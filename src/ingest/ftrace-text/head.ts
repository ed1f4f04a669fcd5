// The "#" block that opens /sys/kernel/tracing/trace (print_trace_header(), kernel/trace/trace.c): buffer counters,
// number of CPUs, and the legend that says which flag column is the hardirq/softirq one. Read by index.ts.
import { decodeSample } from "../numbers.ts";

/** What the header block says. */
export interface FtraceHeader {
  /** Flag column of "hardirq/softirq"; -1 while no legend was seen. */
  irqColumn: number;
  /** Of "#P:4"; 0 when absent. */
  cpus: number;
  /** Events overwritten before they were read: entries-written less entries-in-buffer. */
  overwritten: number;
  /** Legend rows seen so far. */
  legendRows: number;
}

export function newFtraceHeader(): FtraceHeader {
  return { irqColumn: -1, cpus: 0, overwritten: 0, legendRows: 0 };
}

/** Takes in one "#" line. True when this line is the one with the counters of an overwritten buffer. */
export function readHeaderLine(header: FtraceHeader, bytes: Uint8Array, start: number, end: number): boolean {
  const text = decodeSample(bytes, start, end);
  // "#                              / _----=> need-resched"
  const legend = /[-=]=> ([\w/-]+)/.exec(text);
  if (legend !== null) {
    if (legend[1] === "CPU#") return false;
    if (legend[1] === "hardirq/softirq") header.irqColumn = header.legendRows;
    header.legendRows++;
    return false;
  }
  // "# entries-in-buffer/entries-written: 88819/134210   #P:4"
  const cpus = /#P:(\d+)/.exec(text);
  if (cpus !== null) header.cpus = Number(cpus[1]);
  const entries = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(text);
  if (entries !== null) {
    header.overwritten = Math.max(0, Number(entries[2]) - Number(entries[1]));
    return header.overwritten > 0;
  }
  // "# tracer: nop" begins a new block: its legend counts anew.
  if (text.startsWith("# tracer:")) header.legendRows = 0;
  return false;
}
