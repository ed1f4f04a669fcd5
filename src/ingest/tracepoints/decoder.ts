// From a tracepoint's binary record to its rows. An event's format is compiled once, at its first record; an event
// replay has no use for costs a look into a table. Fed by the trace.dat and perf.data readers with a filled head.
import type { ProblemKind } from "../../base/problem.ts";
import { CTX_IRQ, CTX_TASK, type ProbeInfo } from "../../table/event-batch.ts";
import { CALLER_OTHER, CALLER_PROC_MEM_OPEN, EVENT_KIND_NAMES, EventKind } from "../../table/event-kinds.ts";
import { addArmed } from "../bodies.ts";
import { argCode, ProbeArgs } from "../probe-args.ts";
import { addProbeRow, addSampleRows } from "../probe-rows.ts";
import { type Probe, ProbeRegistry } from "../probes.ts";
import { BAD_BODY, PROBE_UNRECOGNISED, RECORD_FORMAT, RECORD_UNDESCRIBED } from "../problems.ts";
import type { Sink } from "../sink.ts";
import { viewOf } from "../words.ts";
import { type EventFormat, type Field, parseEventFormat } from "./event-format.ts";
import { highOf, intOf, type RecordBytes } from "./fields.ts";
import { STOCK_RECORDS, type StockEvent } from "./stock-events.ts";
import type { Symbols } from "./symbols.ts";

const MAX_ID = 65535;
/** common_flags, include/linux/trace_events.h: enum trace_flag_type. */
const TRACE_FLAG_HARDIRQ = 0x08;
const TRACE_FLAG_SOFTIRQ = 0x10;
const TRACE_FLAG_NMI = 0x40;
const IN_INTERRUPT = TRACE_FLAG_HARDIRQ | TRACE_FLAG_SOFTIRQ | TRACE_FLAG_NMI;
/** Names kept apart in TraceMeta.skipped; the rest are counted together. */
const MAX_SKIPPED_NAMES = 512;
const OTHER = "(other)";

/** The text of an event's format, found when it is needed: [start, end) of `bytes`. */
export interface FormatText {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly system: string;
  /** The function its probe sits on, where the recorder says so and records no address. */
  readonly func?: string;
}

/** What is done with the records of one event id. */
export interface Plan {
  readonly name: string;
  /** The name again: the sample of the problems its records have. */
  readonly bytes: Uint8Array;
  /** Records shorter than this lack a field. */
  readonly minLength: number;
  readonly flags: Field | null;
  readonly pid: Field | null;
  readonly stock: StockEvent | null;
  readonly fields: readonly Field[];
  readonly probe: ProbePlan | null;
  skipped: number;
}

export interface ProbePlan {
  readonly probe: Probe;
  readonly address: Field;
  readonly caller: Field | null;
  /** ProbeArgs code of each of the plan's fields. */
  readonly codes: readonly number[];
}

export interface DecoderOptions {
  readonly sink: Sink;
  readonly big: boolean;
  /** EVENT -> FUNCTION, from --probe. */
  readonly probes: ReadonlyMap<string, string>;
  /** Id of a task's name. */
  readonly commOf: (tid: number) => number;
  /** Finds kernel symbols; called at the first probe. Null when the recording has none. */
  readonly symbols: () => Symbols | null;
  /** head.tid is taken from the record's common_pid; otherwise the caller has set it. */
  readonly taskFromRecord: boolean;
}

/** Turns records into rows. One per recording. */
export class RecordDecoder {
  readonly big: boolean;
  readonly #sink: Sink;
  readonly #options: DecoderOptions;
  readonly #formats = new Map<number, FormatText>();
  /** By event id; made whole at once: a table that grows by single far ids is looked up by hash. */
  readonly #plans: (Plan | undefined)[] = new Array<Plan | undefined>(MAX_ID + 1);
  readonly #args: ProbeArgs;
  readonly #registry: ProbeRegistry;
  readonly #record: RecordBytes;
  /** Event id that came first for a row kind, -1 while there is none. */
  readonly #primary: Int32Array = new Int32Array(256).fill(-1);
  readonly #callers = new Map<string, number>();
  #undescribed = 0;

  constructor(options: DecoderOptions) {
    this.#options = options;
    this.#sink = options.sink;
    this.#args = new ProbeArgs(options.sink.pointers);
    this.#registry = new ProbeRegistry("func-first", options.probes);
    const none = new Uint8Array(0);
    this.#record = { bytes: none, view: viewOf(none), start: 0, end: 0, big: options.big };
    this.big = options.big;
  }

  /** Takes in a format's text under its "ID:"; false when it has none. The first text of an id stays. */
  addFormat(text: FormatText): boolean {
    const head = new TextDecoder().decode(
      text.bytes.subarray(text.start, Math.min(text.end, text.start + 400)),
    );
    const id = Number(/^ID: (\d{1,9})\s*$/m.exec(head)?.[1] ?? Number.NaN);
    if (!(id <= MAX_ID)) return false;
    if (!this.#formats.has(id)) this.#formats.set(id, text);
    return true;
  }

  /** Name of an event id, "" when it is not described. */
  nameOf(id: number): string {
    return this.#formats.has(id) ? this.#planOf(id).name : "";
  }

  /** Ids of the events whose format is known. */
  get ids(): readonly number[] {
    return [...this.#formats.keys()];
  }

  /** One `armed` row per event of `ids` that replay has a use for, at the time of the record decoded last: the recording says that they were on. */
  declareArmed(ids: readonly number[]): void {
    const names = ids
      .filter((id) => this.#formats.has(id))
      .map((id) => this.#planOf(id))
      // What is written into trace_marker: every file has its format, and its silence says nothing.
      .filter(({ name }) => name !== "print")
      .map(({ name, stock, probe }) => {
        const kind = probe === null ? null : this.#registry.expectedKind(probe.probe);
        return kind === null ? (stock === null ? "" : name) : EVENT_KIND_NAMES[kind]!;
      });
    const list = new TextEncoder().encode([...new Set(names)].filter((name) => name !== "").join(","));
    addArmed(this.#sink, list, 0, list.length);
  }

  /**
   * Decodes the record bytes[start, end); `view` is of the same bytes. The head's time, cpu, line and, unless taskFromRecord, tid are set. Every
   * event begins with the same fields (tracing_generic_entry_update()), common_type in its first two bytes.
   */
  decode(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (end - start < 2) {
      this.#count(RECORD_FORMAT, "a record of less than 2 bytes");
      return;
    }
    const id = view.getUint16(start, !this.big);
    const plan = this.#plans[id] ?? this.#planOf(id);
    const head = this.#sink.head;
    head.bytes = plan.bytes;
    head.start = 0;
    head.end = plan.bytes.length;
    if (plan.stock === null && plan.probe === null) {
      plan.skipped++;
      head.tid = -1;
      this.#sink.begin();
      return;
    }
    const r = this.#record;
    r.bytes = bytes;
    r.view = view;
    r.start = start;
    r.end = end;
    if (end - start < plan.minLength) {
      this.#count(BAD_BODY, plan.name);
      return;
    }
    if (this.#options.taskFromRecord) head.tid = plan.pid === null ? -1 : intOf(r, plan.pid);
    head.commId = this.#options.commOf(head.tid);
    head.ctx = plan.flags === null ? 0 : (intOf(r, plan.flags) & IN_INTERRUPT) !== 0 ? CTX_IRQ : CTX_TASK;
    if (!this.#sink.begin()) return;
    if (plan.probe !== null) this.#probe(id, plan, plan.probe, r);
    else if (plan.stock?.read(this.#sink, r, plan.fields) === false) this.#count(BAD_BODY, plan.name);
  }

  /** The plan of an id, once it will not change any more; null before. */
  settledPlan(id: number): { readonly plan: Plan; readonly isAlias: boolean } | null {
    const plan = this.#plans[id];
    if (plan === undefined) return null;
    if (plan.probe === null) return { plan, isAlias: false };
    const { func, kind } = plan.probe.probe;
    const first = kind === null ? id : this.#primary[kind]!;
    return func === "" || first === -1 ? null : { plan, isAlias: first !== id };
  }

  /** Counts records of a settled plan that were read elsewhere. */
  countMany(plan: Plan, records: number): void {
    if (plan.probe !== null) plan.probe.probe.count += records;
    if (plan.probe === null || plan.probe.probe.kind === null) plan.skipped += records;
  }

  /** Makes a record of the id the head's, for the sample of a problem. */
  showRecord(id: number, line: number): void {
    const { bytes } = this.#planOf(id);
    const head = this.#sink.head;
    head.bytes = bytes;
    head.start = 0;
    head.end = bytes.length;
    head.line = line;
  }

  skipped(): Record<string, number> {
    const counts = new Map<string, number>();
    for (const plan of this.#plans) {
      if (plan !== undefined && plan.skipped > 0)
        counts.set(plan.name, (counts.get(plan.name) ?? 0) + plan.skipped);
    }
    const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const kept = sorted.slice(0, MAX_SKIPPED_NAMES);
    const other = sorted.slice(MAX_SKIPPED_NAMES).reduce((sum, [, n]) => sum + n, this.#undescribed);
    if (other > 0) kept.push([OTHER, other]);
    return Object.fromEntries(kept);
  }

  probes(): ProbeInfo[] {
    return this.#registry.list();
  }

  #planOf(id: number): Plan {
    const known = this.#plans[id];
    if (known !== undefined) return known;
    const plan = this.#compile(id);
    this.#plans[id] = plan;
    return plan;
  }

  #compile(id: number): Plan {
    const text = this.#formats.get(id);
    if (text === undefined) {
      this.#count(RECORD_UNDESCRIBED, `event id ${id}`);
      return planOf(`(event ${id})`, null);
    }
    const source = new TextDecoder().decode(text.bytes.subarray(text.start, text.end));
    const format = parseEventFormat(source, text.system);
    if (format === null) {
      this.#count(RECORD_FORMAT, source.slice(0, 80));
      return planOf(`(event ${id})`, null);
    }
    const address = format.fields.get("__probe_ip") ?? format.fields.get("__probe_func");
    if (address !== undefined && isNumber(address)) return this.#compileProbe(format, address, text.func);
    const stock = STOCK_RECORDS.get(format.name);
    if (stock === undefined) return planOf(format.name, format);
    const fields = stockFields(format, stock.fields);
    if (fields === null) {
      this.#count(RECORD_FORMAT, `${format.name} lacks one of ${stock.fields.join(", ")}`);
      return planOf(format.name, format);
    }
    return { ...planOf(format.name, format, fields), stock };
  }

  #compileProbe(format: EventFormat, address: Field, func: string | undefined): Plan {
    const isReturn = address.name === "__probe_func";
    const caller = format.fields.get("__probe_ret_ip") ?? null;
    const args = [...format.fields.values()].filter(
      (field) => isNumber(field) && !field.name.startsWith("common_") && !field.name.startsWith("__probe_"),
    );
    const codes = args.map((field) => argCode(field.name));
    const wanted = args.filter((_, i) => codes[i]! >= 0);
    const names = args.map((field) => `${field.name}=`).join(" ");
    const probe = this.#registry.declare(format.name, isReturn, names);
    if (func !== undefined) this.#registry.name(probe, func);
    const used = caller === null || !isNumber(caller) ? [address, ...wanted] : [address, caller, ...wanted];
    return {
      ...planOf(format.name, format, used),
      fields: wanted,
      probe: { probe, address, caller, codes: codes.filter((code) => code >= 0) },
    };
  }

  #probe(id: number, plan: Plan, of: ProbePlan, r: RecordBytes): void {
    const { probe, caller, codes } = of;
    probe.count++;
    if (probe.func === "") this.#place(of, r);
    const kind = probe.kind;
    if (kind === null) {
      if (probe.func === "") this.#count(PROBE_UNRECOGNISED, plan.name);
      else plan.skipped++;
      return;
    }
    const args = this.#args;
    args.clear();
    const { fields } = plan;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      args.setWords(codes[i]!, highOf(r, field), intOf(r, field));
    }
    if (this.#primary[kind] === -1) this.#primary[kind] = id;
    const isAlias = this.#primary[kind] !== id;
    const row = addProbeRow(this.#sink, kind, args, isAlias);
    if (kind === EventKind.mmAccessRet && caller !== null) {
      this.#sink.out.flags[row] = this.#callerFlags(highOf(r, caller) >>> 0, intOf(r, caller) >>> 0);
    }
    if (args.sampled > 0) addSampleRows(this.#sink, args, isAlias);
  }

  /** Finds out which function the probe sits on: by the recording's symbols, else as the text formats do. */
  #place({ probe, address }: ProbePlan, r: RecordBytes): void {
    const high = highOf(r, address) >>> 0;
    const low = intOf(r, address) >>> 0;
    const place = this.#options.symbols()?.find(high, low) ?? null;
    const hex =
      high === 0
        ? low.toString(16).padStart(8, "0")
        : `${high.toString(16)}${low.toString(16).padStart(8, "0")}`;
    this.#registry.locate(probe, hex, place);
  }

  /** Who called mm_access, by the return address; 0 when that cannot be told, as behind another kretprobe's trampoline. */
  #callerFlags(high: number, low: number): number {
    const key = `${high}:${low}`;
    const known = this.#callers.get(key);
    if (known !== undefined) return known;
    const symbol = this.#options.symbols()?.find(high, low)?.symbol ?? "";
    const flags =
      symbol === "" || symbol.includes("trampoline")
        ? 0
        : symbol === "proc_mem_open"
          ? CALLER_PROC_MEM_OPEN
          : CALLER_OTHER;
    if (this.#callers.size < MAX_SKIPPED_NAMES) this.#callers.set(key, flags);
    return flags;
  }

  #count(kind: ProblemKind, sample: string): void {
    this.#sink.problems.add(
      kind,
      this.#sink.head.line,
      sample,
      1,
      kind === BAD_BODY || kind === PROBE_UNRECOGNISED ? sample : "",
    );
  }
}

function planOf(name: string, format: EventFormat | null, used: readonly Field[] = []): Plan {
  const pid = numberField(format, "common_pid");
  const flags = numberField(format, "common_flags");
  const all = [...used, ...(pid === null ? [] : [pid]), ...(flags === null ? [] : [flags])];
  const minLength = all.reduce((most, field) => Math.max(most, field.offset + field.size), 2);
  return {
    name,
    bytes: new TextEncoder().encode(name),
    minLength,
    pid,
    flags,
    stock: null,
    fields: used,
    probe: null,
    skipped: 0,
  };
}

function numberField(format: EventFormat | null, name: string): Field | null {
  const field = format?.fields.get(name);
  return field !== undefined && isNumber(field) ? field : null;
}

function isNumber(field: Field): boolean {
  return field.shape === "number";
}

/** The fields a stock event needs, in its order; null when one is missing or is no number where one is read. */
function stockFields(format: EventFormat, names: readonly string[]): Field[] | null {
  const fields: Field[] = [];
  for (const name of names) {
    const isOptional = name.endsWith("?");
    const field = format.fields.get(isOptional ? name.slice(0, -1) : name);
    const isText = name === "buf" || name.endsWith("comm");
    if (field === undefined || (!isText && !isNumber(field))) {
      if (isOptional) continue;
      return null;
    }
    fields.push(field);
  }
  return fields;
}
