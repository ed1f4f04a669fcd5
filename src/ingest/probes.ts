// Recognises probe events: which function, entry or return, and since which name. A probe is judged once, at its
// first line, and again only while it is unknown. Fed by the decoder; its list goes into TraceMeta.probes.
import type { ProbeInfo } from "../table/event-batch.ts";
import type { EventKind } from "../table/event-kinds.ts";
import { ascii, findFirst } from "./numbers.ts";
import { functionByName, PROBED_FUNCTIONS } from "./probe-functions.ts";

const ARROW = ascii(" <- ");
/** With fentry a kprobe on a function's entry prints func+0x4, or +0x8 and more with IBT and BTI pads. */
const MAX_ENTRY_OFFSET = 0x10;

/** How a format prints a return probe: ftrace "(caller <- func)", trace-cmd and perf "(func <- caller)". */
export type ReturnOrder = "caller-first" | "func-first";

/** One probe event name of a trace. */
export interface Probe {
  readonly event: string;
  /** "" while unknown. */
  func: string;
  by: ProbeInfo["by"];
  readonly isReturn: boolean;
  /** Kind of its rows, null when replay has no use for the function (or it is unknown). */
  kind: EventKind | null;
  count: number;
}

/** All probes of one trace. */
export class ProbeRegistry {
  readonly #order: ReturnOrder;
  readonly #options: ReadonlyMap<string, string>;
  readonly #byAddress = new Map<string, string>();
  readonly #probes: Probe[] = [];

  constructor(order: ReturnOrder, options: ReadonlyMap<string, string>) {
    this.#order = order;
    this.#options = options;
  }

  /** A new probe, judged by its first line: bytes[open, close) is what its parentheses hold. */
  add(event: string, bytes: Uint8Array, open: number, close: number, end: number): Probe {
    const isReturn = findFirst(bytes, open, close, ARROW) >= 0;
    const probe: Probe = { event, func: "", by: "unknown", isReturn, kind: null, count: 0 };
    this.judge(probe, bytes, open, close, end);
    this.#probes.push(probe);
    return probe;
  }

  /** Judges a probe by one of its lines: the line's symbol, --probe, a known address, its name, in this order. */
  judge(probe: Probe, bytes: Uint8Array, open: number, close: number, end: number): void {
    const place = this.#place(bytes, open, close);
    const symbol = parseSymbol(place, probe.isReturn);
    if (symbol !== null) {
      this.#settle(probe, symbol, symbol === "" ? "unknown" : "line");
      return;
    }
    const name = probe.event.slice(probe.event.lastIndexOf(":") + 1);
    const option = this.#options.get(probe.event) ?? this.#options.get(name);
    const known = this.#byAddress.get(place);
    if (option !== undefined) this.#settle(probe, option, "option");
    else if (known !== undefined) this.#settle(probe, known, "address");
    else {
      const args = new TextDecoder().decode(bytes.subarray(Math.min(close + 1, end), end));
      const func = functionByName(name, args, probe.isReturn);
      this.#settle(probe, func, func === "" ? "unknown" : "name");
    }
    if (probe.func !== "" && isAddress(place)) this.#byAddress.set(place, probe.func);
  }

  list(): ProbeInfo[] {
    return this.#probes.map(({ event, func, by, count }) => ({
      event: event.slice(event.lastIndexOf(":") + 1),
      func,
      by,
      count,
    }));
  }

  #settle(probe: Probe, func: string, by: ProbeInfo["by"]): void {
    const known = PROBED_FUNCTIONS.get(func);
    probe.func = func;
    probe.by = by;
    probe.kind = known === undefined ? null : probe.isReturn ? known.ret : known.entry;
  }

  /** The probed function's place: of "lab_thread+0x126/0x1a0 [mmlab] <- kthread_use_mm" the part behind the arrow. */
  #place(bytes: Uint8Array, open: number, close: number): string {
    const text = new TextDecoder().decode(bytes.subarray(open, close));
    const arrow = text.indexOf(" <- ");
    if (arrow < 0) return text;
    return this.#order === "caller-first" ? text.slice(arrow + 4) : text.slice(0, arrow);
  }
}

/**
 * Whether what stands in a body's parentheses is a probe's place: "kthread_use_mm+0x0/0xe0", "ffffffffba8cc070",
 * "a+0x1/0x2 <- b". Not "(Rescheduling interrupts)" of ipi_exit.
 */
export function isProbePlace(bytes: Uint8Array, open: number, close: number): boolean {
  const text = new TextDecoder().decode(bytes.subarray(open, close));
  return text.includes(" <- ") || isAddress(text) || /^[A-Za-z_][\w.$]*\+0x[0-9a-f]+/.test(text);
}

function isAddress(place: string): boolean {
  return /^(?:0x)?[0-9a-f]{8,16}$/.test(place);
}

/**
 * "switch_mm_irqs_off+0x4/0x500" -> "switch_mm_irqs_off"; null for an address, "" for a place inside a function.
 * Constant-propagated clones keep the entry (".isra.0"), ".cold" is not one.
 */
function parseSymbol(place: string, isReturn: boolean): string | null {
  if (isAddress(place)) return null;
  const match = /^([A-Za-z_][\w.$]*)(?:\+0x([0-9a-f]+)(?:\/0x[0-9a-f]+)?)?(?: \[[^\]]*\])?$/.exec(place);
  if (match === null) return null;
  const offset = Number.parseInt(match[2] ?? "0", 16);
  if (!isReturn && offset > MAX_ENTRY_OFFSET) return "";
  return (match[1] ?? "").replace(/\.(?:isra|constprop)\.\d+/g, "");
}
