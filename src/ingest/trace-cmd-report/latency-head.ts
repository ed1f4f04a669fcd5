// Line head of `trace-cmd report -l`: "trace-cm-3965    1d..2.   327.200530: " (tep_data_lat_fmt(), libtraceevent). The
// name is cut to 8 bytes, the CPU is glued to the flags.
import { NONE } from "../../table/event-batch.ts";
import { type EventHead, setComm } from "../event-head.ts";
import { DASH, digitsEnd, readDecimal, skipSpaces } from "../numbers.ts";
import { readFlagsAndTime } from "../task-pid-head.ts";

const COMM_WIDTH = 8;
/** irqs off, need-resched, hardirq/softirq, preempt depth, migrate-disable. */
const IRQ_COLUMN = 2;

/** Reads the head of bytes[start, end); false when the line has no such head. */
export function readLatencyHead(head: EventHead, bytes: Uint8Array, start: number, end: number): boolean {
  for (let dash = Math.min(start + COMM_WIDTH, end - 1); dash >= start; dash--) {
    if (bytes[dash] !== DASH || !readAfterDash(head, bytes, dash, end)) continue;
    head.tgid = NONE;
    setComm(head, bytes, start, dash);
    return true;
  }
  return false;
}

function readAfterDash(head: EventHead, bytes: Uint8Array, dash: number, end: number): boolean {
  const tidEnd = digitsEnd(bytes, dash + 1, end);
  const cpuStart = skipSpaces(bytes, tidEnd, end);
  const cpuEnd = digitsEnd(bytes, cpuStart, end);
  if (tidEnd === dash + 1 || cpuStart === tidEnd || cpuEnd === cpuStart) return false;
  head.tid = readDecimal(bytes, dash + 1, tidEnd);
  head.cpu = readDecimal(bytes, cpuStart, cpuEnd);
  return readFlagsAndTime(head, bytes, cpuEnd, end, IRQ_COLUMN) && head.ctx !== 0;
}
