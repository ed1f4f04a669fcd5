// The narrow middle: events as parallel typed arrays. Ingest fills batches, replay reads them, arrow.ts
// writes them; nobody else needs to know how a recorder spelled anything.
import type { Problem } from "../base/problem.ts";
import type { TimeUnit } from "../base/time.ts";

/** Absent value of users and count. */
export const NO_VALUE = -2147483648;
/** Absent value of mm and mm2. */
export const NO_MM = -1;
/** Pointer id of NULL; always interned first. */
export const NULL_MM = 0;
/** Absent value of tid, tgid, argTid, comm, argComm, cpu. */
export const NONE = -1;

/** `ctx` bits. Context is unknown (0) where the format prints no flags. */
export const CTX_TASK = 1;
/** Recorded in hardirq, softirq or NMI context: says nothing of the interrupted task's progress. */
export const CTX_IRQ = 2;
/** A second probe on a function already probed under another name: same instant, do not count it twice. */
export const CTX_ALIAS = 4;

/** Rows per batch of the main pipeline. */
export const BATCH_ROWS = 32768;

/** `length` rows of parallel columns; arrays may be longer. Rows are in time order over all batches. */
export interface EventBatch {
  length: number;
  /** ns (or ticks) since the trace's epoch. */
  readonly ns: Float64Array;
  /** EventKind. */
  readonly kind: Uint8Array;
  readonly cpu: Int16Array;
  /** CTX_* bits. */
  readonly ctx: Uint8Array;
  readonly tid: Int32Array;
  readonly tgid: Int32Array;
  /** Index into TraceMeta.comms. */
  readonly comm: Int32Array;
  readonly argTid: Int32Array;
  readonly argComm: Int32Array;
  /** Index into TraceMeta.pointers. */
  readonly mm: Int32Array;
  readonly mm2: Int32Array;
  /** Sampled mm_users, mm_count of `mm`. */
  readonly users: Int32Array;
  readonly count: Int32Array;
  readonly flags: Int32Array;
  /** 1-based line of the input. */
  readonly line: Uint32Array;
}

/** Columns of Int32Array. */
export const INT32_COLUMNS = [
  "tid",
  "tgid",
  "comm",
  "argTid",
  "argComm",
  "mm",
  "mm2",
  "users",
  "count",
  "flags",
] as const;
/** Every column of a batch. */
export const EVENT_COLUMNS: readonly Exclude<keyof EventBatch, "length">[] = [
  "ns",
  "kind",
  "cpu",
  "ctx",
  "line",
  ...INT32_COLUMNS,
];

/** An empty batch with room for `capacity` rows. */
export function newBatch(capacity: number = BATCH_ROWS): EventBatch {
  return {
    length: 0,
    ns: new Float64Array(capacity),
    kind: new Uint8Array(capacity),
    cpu: new Int16Array(capacity),
    ctx: new Uint8Array(capacity),
    tid: new Int32Array(capacity),
    tgid: new Int32Array(capacity),
    comm: new Int32Array(capacity),
    argTid: new Int32Array(capacity),
    argComm: new Int32Array(capacity),
    mm: new Int32Array(capacity),
    mm2: new Int32Array(capacity),
    users: new Int32Array(capacity),
    count: new Int32Array(capacity),
    flags: new Int32Array(capacity),
    line: new Uint32Array(capacity),
  };
}

/** A probe as it stands in the input. */
export interface ProbeInfo {
  /** Event name in the trace, e.g. "mmdrop". */
  readonly event: string;
  /** Kernel function it was recognised as, e.g. "__mmdrop"; "" when it could not be told. */
  readonly func: string;
  /** How: "line" (the line names the function), "symbols" (the recording's kallsyms), "address" (same address as a known probe), "name", "option". */
  readonly by: "line" | "symbols" | "address" | "name" | "option" | "unknown";
  readonly count: number;
}

/** What one input is, known when it has been read to its end. */
export interface TraceMeta {
  readonly path: string;
  /** ftrace-text, trace-cmd-report, perf-script, csv … */
  readonly format: string;
  /** SHA-256 of the input as it is stored (compressed, if it is), in hex; absent when it was not read from a file or pipe. */
  readonly sha256?: string;
  /** Trace clock as far as the input tells; "unknown" otherwise. */
  readonly clock: string;
  readonly timeUnit: TimeUnit;
  /** Kernel release as far as the input tells, else "". */
  readonly kernel: string;
  /** Number of CPUs: the header's, else the highest seen + 1. */
  readonly cpus: number;
  /** Absolute ns (ticks) of epoch: add to a row's ns. */
  readonly epochNs: bigint;
  readonly spanNs: number;
  readonly lines: number;
  /** Event lines understood or skipped; not headers, not gaps. */
  readonly events: number;
  /** Rows in the event table. */
  readonly rows: number;
  /** Rows per EventKind, by kind: what the recording shows at all, known before its events are replayed. */
  readonly kinds?: readonly number[];
  /** Events the recorder says it lost; -1 when it lost some and does not say how many. */
  readonly lostEvents: number;
  /** Events per name that replay has no use for. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly probes: readonly ProbeInfo[];
  /** Task names, by id. Input text: escape on output. */
  readonly comms: readonly string[];
  /** Pointer labels, by id; 0 is "0x0". */
  readonly pointers: readonly string[];
  /** Defects found while reading; stored with events.arrow so that a later replay of the file reports them too. */
  readonly problems?: readonly Problem[];
}

/** An event table that can be read from its start more than once. Batches are only valid during the call. */
export interface EventTable {
  readonly meta: TraceMeta;
  forEachBatch(visit: (batch: EventBatch) => void): Promise<void>;
  /** The same batches by their number; absent where they are not at hand so. */
  readonly batches?: EventBatches;
}

/** Batches of an event table, each with at least one row. */
export interface EventBatches {
  readonly count: number;
  /** Valid until the next is asked for. */
  at(index: number): Promise<EventBatch>;
  /** `ns` of its first row. */
  startOf(index: number): number;
}
