// Where a probe sits, as its line says: what stands in front of a probe's arguments. ftrace, trace-cmd and perf print it
// in parentheses, trace-cmd report -R as the record's first fields. Read by the decoder and the probe registry.
//   "(kthread_use_mm+0x0/0xe0) mm=…"                      entry, ftrace
//   "(ffffffffba8cc070) mm=…"                             entry, trace-cmd and perf
//   "(proc_mem_open+0x34/0xa0 <- mm_access) mm=…"         return, ftrace: caller first
//   "(ffffffffba89e650 <- ffffffffba876930) ret=0"        return, trace-cmd and perf: function first
//   "__probe_ip=ffffffffba88a9b0 prev=…"                  entry, report -R
//   "__probe_func=ffffffffba89e650 __probe_ret_ip=ffffffffba8a0785 ret=0"    return, report -R
import { ascii, LPAREN, RPAREN, SPACE, skipSpaces, startsWith } from "./numbers.ts";

const PROBE_IP = ascii("__probe_ip=");
const PROBE_FUNC = ascii("__probe_func=");
const PROBE_RET_IP = ascii("__probe_ret_ip=");
const UNDERSCORE = 0x5f;
const ARROW = " <- ";

/** How a format prints a return probe: ftrace "(caller <- func)", trace-cmd and perf "(func <- caller)". */
export type ReturnOrder = "caller-first" | "func-first";

/** What a line tells of its probe. */
export interface ProbePlace {
  /** The probed function's place: "kthread_use_mm+0x0/0xe0", "ffffffffba8cc070", "mm_access". */
  readonly where: string;
  readonly isReturn: boolean;
}

/** Where the arguments of the probe body bytes[at, end) begin; -1 when it does not begin as a probe's. */
export function probeArgsStart(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === LPAREN) {
    let close = at + 1;
    while (close < end && bytes[close] !== RPAREN) close++;
    return close > at + 1 && close < end ? close + 1 : -1;
  }
  if (bytes[at] !== UNDERSCORE) return -1;
  if (startsWith(bytes, at, end, PROBE_IP)) return wordEnd(bytes, at, end);
  if (!startsWith(bytes, at, end, PROBE_FUNC)) return -1;
  const second = skipSpaces(bytes, wordEnd(bytes, at, end), end);
  return startsWith(bytes, second, end, PROBE_RET_IP) ? wordEnd(bytes, second, end) : -1;
}

/**
 * The place that stands in bytes[at, args), `args` as probeArgsStart gave it. Null when it is none: "(Rescheduling
 * interrupts)" of ipi_exit.
 */
export function readProbePlace(
  bytes: Uint8Array,
  at: number,
  args: number,
  order: ReturnOrder,
): ProbePlace | null {
  if (bytes[at] === UNDERSCORE) {
    const isReturn = startsWith(bytes, at, args, PROBE_FUNC);
    const from = at + (isReturn ? PROBE_FUNC : PROBE_IP).length;
    const where = new TextDecoder().decode(bytes.subarray(from, wordEnd(bytes, from, args)));
    return isAddress(where) ? { where, isReturn } : null;
  }
  const text = new TextDecoder().decode(bytes.subarray(at + 1, args - 1));
  const arrow = text.indexOf(ARROW);
  if (arrow >= 0) {
    const where = order === "caller-first" ? text.slice(arrow + ARROW.length) : text.slice(0, arrow);
    return { where, isReturn: true };
  }
  return isAddress(text) || /^[A-Za-z_][\w.$]*\+0x[0-9a-f]+/.test(text)
    ? { where: text, isReturn: false }
    : null;
}

/** Whether a place is a bare address: the kernel symbol was not known to the printer. */
export function isAddress(where: string): boolean {
  return /^(?:0x)?[0-9a-f]{8,16}$/.test(where);
}

function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== SPACE) i++;
  return i;
}
