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
    const option = this.#option(probe);
    const known = this.#byAddress.get(where);
    if (option !== undefined) this.#settle(probe, option, "option");
    else if (known !== undefined) this.#settle(probe, known, "address");
    else {
      const func = functionByName(bareName(probe.event), args, probe.isReturn);
      this.#settle(probe, func, func === "" ? "unknown" : "name");
    }
    if (probe.func !== "" && isAddress(where)) this.#byAddress.set(where, probe.func);
  }

  /** --probe's function for this event. */
  #option({ event }: Probe): string | undefined {
    return this.#options.get(event) ?? this.#options.get(bareName(event));
  }

  /** Kind of the rows that a declared probe would give; null when nothing says. Its place is not known before its first record. */
  expectedKind(probe: Probe): EventKind | null {
    return kindOf(this.#expected(probe).func, probe.isReturn);
  }

  /** What is known of a declared probe that no record was met of. */
  #expected(probe: Probe): { readonly func: string; readonly by: ProbeInfo["by"] } {
    const { event, func, by, isReturn } = probe;
    if (func !== "" || probe.count > 0) return { func, by };
    const option = this.#option(probe);
    if (option !== undefined) return { func: option, by: "option" };
    const name = functionByName(bareName(event), this.#args.get(probe) ?? "", isReturn);
    return { func: name, by: name === "" ? "unknown" : "name" };
  }

  list(): ProbeInfo[] {
    return this.#probes.map((probe) => ({
      event: bareName(probe.event),
      ...this.#expected(probe),
      count: probe.count,
    }));
  }

  #settle(probe: Probe, func: string, by: ProbeInfo["by"]): void {
    probe.func = func;
    probe.by = by;
    probe.kind = kindOf(func, probe.isReturn);
  }
}

function kindOf(func: string, isReturn: boolean): EventKind | null {
  const known = PROBED_FUNCTIONS.get(func);
  return known === undefined ? null : isReturn ? known.ret : known.entry;
}

/** The event's name without its system. */
function bareName(event: string): string {
  return event.slice(event.lastIndexOf(":") + 1);
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
