// Recognises probe events: which function, entry or return, and since which name. A probe is judged once, at its
// first line, and again only while it is unknown. Fed by the decoder; its list goes into TraceMeta.probes.
import type { ProbeInfo } from "../table/event-batch.ts";
import type { EventKind } from "../table/event-kinds.ts";
import { functionByName, PROBED_FUNCTIONS } from "./probe-functions.ts";
import { isAddress, type ReturnOrder, readProbePlace } from "./probe-place.ts";

/** With fentry a kprobe on a function's entry prints func+0x4, or +0x8 and more with IBT and BTI pads. */
const MAX_ENTRY_OFFSET = 0x10;

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
  /** Argument names of declared probes. */
  readonly #args = new Map<Probe, string>();

  constructor(order: ReturnOrder, options: ReadonlyMap<string, string>) {
    this.#order = order;
    this.#options = options;
  }

  /** A new probe, judged by its first line: its body is bytes[at, end), its arguments begin at `args`. Null when it is none. */
  add(event: string, bytes: Uint8Array, at: number, args: number, end: number): Probe | null {
    const place = readProbePlace(bytes, at, args, this.#order);
    if (place === null) return null;
    const probe: Probe = { event, func: "", by: "unknown", isReturn: place.isReturn, kind: null, count: 0 };
    this.#judge(probe, place.where, bytes, args, end);
    this.#probes.push(probe);
    return probe;
  }

  /** A new probe of a binary recording, whose format names its arguments ("mm= users=") and whose place locate() tells. */
  declare(event: string, isReturn: boolean, args: string): Probe {
    const probe: Probe = { event, func: "", by: "unknown", isReturn, kind: null, count: 0 };
    this.#probes.push(probe);
    this.#args.set(probe, args);
    return probe;
  }

  /** Settles a declared probe whose record names its function. */
  name(probe: Probe, func: string): void {
    this.#settle(probe, func, "line");
  }

  /** Judges a declared probe by its address (hex digits) and the symbol found for it, if any; else as a line without one. */
  locate(
    probe: Probe,
    address: string,
    place: { readonly symbol: string; readonly offset: number } | null,
  ): void {
    if (place === null) {
      this.#judgeAddress(probe, address, this.#args.get(probe) ?? "");
      return;
    }
    const isInside = !probe.isReturn && place.offset > MAX_ENTRY_OFFSET;
    const func = isInside ? "" : withoutClone(place.symbol);
    this.#settle(probe, func, func === "" ? "unknown" : "symbols");
  }

  /** Judges a probe that is still unknown by a further line. */
  judge(probe: Probe, bytes: Uint8Array, at: number, args: number, end: number): void {
    const place = readProbePlace(bytes, at, args, this.#order);
    if (place !== null) this.#judge(probe, place.where, bytes, args, end);
  }

  /** By the line's symbol, --probe, a known address, its name, in this order. */
  #judge(probe: Probe, where: string, bytes: Uint8Array, args: number, end: number): void {
    const symbol = parseSymbol(where, probe.isReturn);
    if (symbol !== null) {
      this.#settle(probe, symbol, symbol === "" ? "unknown" : "line");
      return;
    }
    this.#judgeAddress(probe, where, new TextDecoder().decode(bytes.subarray(args, end)));
  }

  #judgeAddress(probe: Probe, where: string, args: string): void {
    const name = probe.event.slice(probe.event.lastIndexOf(":") + 1);
    const option = this.#options.get(probe.event) ?? this.#options.get(name);
    const known = this.#byAddress.get(where);
    if (option !== undefined) this.#settle(probe, option, "option");
    else if (known !== undefined) this.#settle(probe, known, "address");
    else {
      const func = functionByName(name, args, probe.isReturn);
      this.#settle(probe, func, func === "" ? "unknown" : "name");
    }
    if (probe.func !== "" && isAddress(where)) this.#byAddress.set(where, probe.func);
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
  return withoutClone(match[1] ?? "");
}

function withoutClone(symbol: string): string {
  return symbol.replace(/\.(?:isra|constprop)\.\d+/g, "");
}
