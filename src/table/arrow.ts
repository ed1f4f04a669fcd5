// events.arrow, batch by batch in constant memory: ingest's batches go out through EventFileWriter and come back through
// readEventFile. Result tables are table-file.ts's. pyarrow, polars, R and DuckDB read the same files.
import { Field, Schema } from "apache-arrow/schema";
import type { DataType } from "apache-arrow/type";
import { Dictionary, Int8, Int16, Int32, Int64, Uint8, Uint32 } from "apache-arrow/type";
import { assert } from "../base/assert.ts";
import { InputError } from "../base/errors.ts";
import {
  cleanKeys,
  dictionaryId,
  expectFields,
  flat,
  joinParts,
  nullsEqual,
  PartsCursor,
  patchNulls,
  schemaError,
  UTF8,
} from "./arrow-columns.ts";
import type {
  BatchParts,
  FileOutput,
  FileTail,
  IpcFile,
  RandomAccess,
  TypedArrayClass,
} from "./arrow-ipc.ts";
import { bytesOf, corrupt, IpcFileWriter, openIpcFile, typed } from "./arrow-ipc.ts";
import type { EventBatch, EventBatches, EventTable, TraceMeta } from "./event-batch.ts";
import { BATCH_ROWS, NO_MM, NO_VALUE, NONE } from "./event-batch.ts";
import { EVENT_KIND_NAMES } from "./event-kinds.ts";
import { SCHEMA_VERSION, VERSION_KEY } from "./verdict-tables.ts";

const TRACE_KEY = "forkcast.trace";
const TWO_32 = 2 ** 32;
/** Where a batch's first stamp is: the values of its first column. */
const NS_BUFFER = 1;
const NS_BYTES = 8;

const COMM_DICTIONARY = 1;
const MM_DICTIONARY = 2;
const KIND_DICTIONARY = 0;

/** Columns of events.arrow after ts_ns: what they are called, where they live in an EventBatch, what marks absence. */
interface EventColumn {
  readonly name: string;
  readonly from: Exclude<keyof EventBatch, "length" | "ns">;
  readonly type: DataType;
  /** Value that is written as null; undefined: never null. */
  readonly absent?: number;
}

const COMM = new Dictionary(UTF8, new Int32(), COMM_DICTIONARY);
const MM = new Dictionary(UTF8, new Int32(), MM_DICTIONARY);

const EVENT_COLUMNS: readonly EventColumn[] = [
  { name: "kind", from: "kind", type: new Dictionary(UTF8, new Int8(), KIND_DICTIONARY) },
  { name: "cpu", from: "cpu", type: new Int16(), absent: NONE },
  { name: "ctx", from: "ctx", type: new Uint8() },
  { name: "tid", from: "tid", type: new Int32(), absent: NONE },
  { name: "tgid", from: "tgid", type: new Int32(), absent: NONE },
  { name: "comm", from: "comm", type: COMM, absent: NONE },
  { name: "arg_tid", from: "argTid", type: new Int32(), absent: NONE },
  { name: "arg_comm", from: "argComm", type: COMM, absent: NONE },
  { name: "mm", from: "mm", type: MM, absent: NO_MM },
  { name: "mm2", from: "mm2", type: MM, absent: NO_MM },
  { name: "users", from: "users", type: new Int32(), absent: NO_VALUE },
  { name: "count", from: "count", type: new Int32(), absent: NO_VALUE },
  { name: "flags", from: "flags", type: new Int32() },
  { name: "line", from: "line", type: new Uint32() },
];

const EVENT_FIELDS: readonly Field[] = [
  new Field("ts_ns", new Int64(), false),
  ...EVENT_COLUMNS.map((column) => new Field(column.name, column.type, column.absent !== undefined)),
];

/**
 * Streaming writer of events.arrow: holds no rows between calls. ts_ns is absolute (epoch + ns). The dictionaries of
 * task names and pointers come last, because only the end of the input knows them.
 */
export class EventFileWriter {
  readonly #file: IpcFileWriter;
  /** Written before the next batch is made: stamps, and keys by column. */
  #stamps = new Int32Array(0);
  readonly #keys = new Map<string, Int32Array>();
  #rows = 0;
  #epochNs: bigint | null = null;

  constructor(output: FileOutput) {
    this.#file = new IpcFileWriter(new Schema([...EVENT_FIELDS]), output);
  }

  /** Writes the first `b.length` rows. `epochNs` must be the same for all batches. The batch may be reused afterwards. */
  batch(b: EventBatch, epochNs: bigint): void {
    assert(this.#epochNs === null || this.#epochNs === epochNs, "one epoch for all batches");
    this.#epochNs = epochNs;
    if (b.length === 0) return;
    if (this.#stamps.length < b.length * 2) this.#stamps = new Int32Array(b.length * 2);
    const parts = [flat(null, b.length, bytesOf(absoluteNs(b.ns, b.length, epochNs, this.#stamps)))];
    for (const { name, from, type, absent } of EVENT_COLUMNS) {
      const values = b[from].subarray(0, b.length);
      const nulls = absent === undefined ? null : nullsEqual(values, b.length, absent);
      const isKey = (type === COMM || type === MM) && absent !== undefined;
      parts.push(
        flat(
          nulls,
          b.length,
          bytesOf(
            isKey ? cleanKeys(values as Int32Array, nulls, absent, this.#keysOf(name, b.length)) : values,
          ),
        ),
      );
    }
    this.#file.batch(joinParts(b.length, parts));
    this.#rows += b.length;
  }

  #keysOf(name: string, length: number): Int32Array {
    const known = this.#keys.get(name);
    if (known !== undefined && known.length >= length) return known;
    const keys = new Int32Array(length);
    this.#keys.set(name, keys);
    return keys;
  }

  /** Writes dictionaries and footer. */
  finish(meta: TraceMeta): void {
    assert(meta.rows === this.#rows, `meta says ${meta.rows} rows, ${this.#rows} were written`);
    assert(this.#epochNs === null || meta.epochNs === this.#epochNs, "meta has the batches' epoch");
    this.#file.dictionary(KIND_DICTIONARY, EVENT_KIND_NAMES);
    this.#file.dictionary(COMM_DICTIONARY, meta.comms);
    this.#file.dictionary(MM_DICTIONARY, meta.pointers);
    this.#file.finish(eventMetadata(meta));
  }

  /** After finish(): the end of the file with another meta of the same rows, names and pointers, in place of what stands there. */
  otherTail(meta: TraceMeta): FileTail {
    return this.#file.otherTail(eventMetadata(meta));
  }
}

function eventMetadata(meta: TraceMeta): ReadonlyMap<string, string> {
  const { comms: _comms, pointers: _pointers, epochNs, ...rest } = meta;
  return new Map([
    [VERSION_KEY, String(SCHEMA_VERSION)],
    [TRACE_KEY, JSON.stringify({ ...rest, epochNs: epochNs.toString() })],
  ]);
}

/**
 * Opens an events.arrow. Batches are read one by one, as often as wanted; each is valid during the visit only.
 * Throws InputError (`table/…`) for a file that is not one of ours or is damaged.
 */
export function readEventFile(source: RandomAccess): EventTable {
  const file = openIpcFile(source);
  expectFields(file.schema.fields, EVENT_FIELDS);
  const meta = readMeta(file);
  const kinds = file
    .dictionary(dictionaryIdOf(file.schema, "kind"))
    .map((name) => EVENT_KIND_NAMES.indexOf(name));
  return {
    meta,
    forEachBatch: async (visit) => {
      const ofPass = new Float64Array(BATCH_ROWS);
      for (let index = 0; index < file.batchCount; index++) {
        visit(readEventBatch(file.batch(index), meta, kinds, ofPass));
        await eventLoopTurn();
      }
    },
    batches: batchesOf(file, meta, (index, ns) => readEventBatch(file.batch(index), meta, kinds, ns)),
  };
}

function batchesOf(
  file: IpcFile,
  meta: TraceMeta,
  read: (index: number, ns: Float64Array) => EventBatch,
): EventBatches {
  const starts: number[] = [];
  const ns = new Float64Array(BATCH_ROWS);
  let kept: { readonly index: number; readonly batch: EventBatch } | undefined;
  return {
    count: file.batchCount,
    at: async (index) => {
      if (kept?.index === index) return kept.batch;
      await eventLoopTurn();
      kept = { index, batch: read(index, ns) };
      return kept.batch;
    },
    startOf: (index) => {
      const known = starts[index];
      if (known !== undefined) return known;
      const first = typed(Int32Array, file.stored(index).buffer(NS_BUFFER, NS_BYTES), 2);
      const [start] = relativeNs(first, 1, meta.epochNs, new Float64Array(1));
      starts[index] = start ?? 0;
      return starts[index];
    },
  };
}

/** Lets timers and signals through between batches: a long replay must still end on Ctrl-C. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function readMeta(file: IpcFile): TraceMeta {
  const json = file.schema.metadata.get(TRACE_KEY);
  if (json === undefined) throw schemaError(`no ${TRACE_KEY} in the footer; not written by forkcast ingest`);
  if (dictionaryIdOf(file.schema, "comm") !== dictionaryIdOf(file.schema, "arg_comm")) {
    throw schemaError("comm and arg_comm have separate dictionaries; not written by forkcast ingest");
  }
  if (dictionaryIdOf(file.schema, "mm") !== dictionaryIdOf(file.schema, "mm2")) {
    throw schemaError("mm and mm2 have separate dictionaries; not written by forkcast ingest");
  }
  try {
    const stored = JSON.parse(json) as Omit<TraceMeta, "comms" | "pointers" | "epochNs"> & {
      epochNs: string;
    };
    return {
      ...stored,
      epochNs: BigInt(stored.epochNs),
      comms: file.dictionary(dictionaryIdOf(file.schema, "comm")),
      pointers: file.dictionary(dictionaryIdOf(file.schema, "mm")),
    };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw corrupt(`${TRACE_KEY} is not the JSON of a trace`);
  }
}

function readEventBatch(
  parts: BatchParts,
  meta: TraceMeta,
  kinds: readonly number[],
  ns: Float64Array,
): EventBatch {
  const cursor = new PartsCursor(parts);
  const { length } = parts;
  const column = <T extends Int16Array | Int32Array | Uint8Array | Uint32Array>(
    type: TypedArrayClass<T>,
    absent?: number,
  ): T => {
    const { nullCount, bits } = cursor.array();
    const values = typed(type, cursor.buffer(), length);
    if (absent === undefined || nullCount === 0) return values;
    // Most recordings have columns without any value.
    if (nullCount === length) values.fill(absent);
    else patchNulls(values, bits, length, absent);
    return values;
  };
  cursor.array();
  const relative = relativeNs(typed(Int32Array, cursor.buffer(), length * 2), length, meta.epochNs, ns);
  const kind = column(Uint8Array);
  takeKinds(kind, kinds);
  return {
    length,
    ns: relative,
    kind,
    cpu: column(Int16Array, NONE),
    ctx: column(Uint8Array),
    tid: column(Int32Array, NONE),
    tgid: column(Int32Array, NONE),
    comm: inDictionary(column(Int32Array, NONE), meta.comms.length),
    argTid: column(Int32Array, NONE),
    argComm: inDictionary(column(Int32Array, NONE), meta.comms.length),
    mm: inDictionary(column(Int32Array, NO_MM), meta.pointers.length),
    mm2: inDictionary(column(Int32Array, NO_MM), meta.pointers.length),
    users: column(Int32Array, NO_VALUE),
    count: column(Int32Array, NO_VALUE),
    flags: column(Int32Array),
    line: column(Uint32Array),
  };
}

/** Epoch + ns as int64, two little-endian halves a row, at the beginning of `into`: ten times faster than a bigint a row. */
function absoluteNs(ns: Float64Array, length: number, epochNs: bigint, into: Int32Array): Int32Array {
  const epochLow = Number(BigInt.asUintN(32, epochNs));
  const epochHigh = Number(BigInt.asIntN(32, epochNs >> 32n));
  const halves = into.subarray(0, length * 2);
  for (let row = 0; row < length; row++) {
    const high = Math.floor(ns[row]! / TWO_32);
    const low = ns[row]! - high * TWO_32 + epochLow;
    // Storing into an Int32Array takes the value modulo 2^32; the carry is what that cuts off.
    halves[row * 2] = low;
    halves[row * 2 + 1] = epochHigh + high + (low >= TWO_32 ? 1 : 0);
  }
  return halves;
}

/** Inverse of absoluteNs. `into` is reused when it is long enough. */
function relativeNs(halves: Int32Array, length: number, epochNs: bigint, into: Float64Array): Float64Array {
  const epochLow = Number(BigInt.asUintN(32, epochNs));
  const epochHigh = Number(BigInt.asIntN(32, epochNs >> 32n));
  const ns = into.length >= length ? into.subarray(0, length) : new Float64Array(length);
  for (let row = 0; row < length; row++) {
    ns[row] = (halves[row * 2 + 1]! - epochHigh) * TWO_32 + ((halves[row * 2]! >>> 0) - epochLow);
  }
  return ns;
}

/** Replaces a file's own numbers of kinds by ours, `kinds`. */
function takeKinds(kind: Uint8Array, kinds: readonly number[]): void {
  for (let row = 0; row < kind.length; row++) {
    const known = kinds[kind[row]!];
    if (known === undefined || known < 0) throw corrupt(`event kind ${kind[row]}`);
    kind[row] = known;
  }
}

/** Checks ids against their dictionary's size; returns them. */
function inDictionary(ids: Int32Array, size: number): Int32Array {
  let highest = -1;
  for (let row = 0; row < ids.length; row++) if (ids[row]! > highest) highest = ids[row]!;
  if (highest >= size) throw corrupt(`key ${highest} of a dictionary of ${size}`);
  return ids;
}

function dictionaryIdOf(schema: Schema, name: string): number {
  const field = schema.fields.find((candidate) => candidate.name === name);
  const id = field === undefined ? null : dictionaryId(field.type);
  if (id === null) throw schemaError(`${name} has no dictionary`);
  return id;
}
