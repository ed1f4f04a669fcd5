// perf_event_attr and what it says of the records of its event: include/uapi/linux/perf_event.h (6.12). Attributes of
// newer kernels are longer; the fields used here lie at their beginning.
import { high32, i32, low32, u32 } from "../words.ts";

/** PERF_TYPE_TRACEPOINT: config is the tracepoint's id. */
export const TYPE_TRACEPOINT = 2;
/** PERF_ATTR_SIZE_VER0: no attribute is shorter. */
export const MIN_ATTR = 64;
const MAX_IDS = 1 << 20;

/** PERF_SAMPLE_* bits of sample_type that come before RAW in a record, or in the trailer of other records. */
export const SAMPLE = {
  ip: 0x1,
  tid: 0x2,
  time: 0x4,
  addr: 0x8,
  read: 0x10,
  callchain: 0x20,
  id: 0x40,
  cpu: 0x80,
  period: 0x100,
  streamId: 0x200,
  raw: 0x400,
  identifier: 0x10000,
} as const;

/** perf_output_sample(), kernel/events/core.c: the fields before READ. */
const SAMPLE_ORDER = [
  SAMPLE.identifier,
  SAMPLE.ip,
  SAMPLE.tid,
  SAMPLE.time,
  SAMPLE.addr,
  SAMPLE.id,
  SAMPLE.streamId,
  SAMPLE.cpu,
  SAMPLE.period,
];
/** perf_event__output_id_sample(), the same file. */
const TRAILER_ORDER = [SAMPLE.tid, SAMPLE.time, SAMPLE.id, SAMPLE.streamId, SAMPLE.cpu, SAMPLE.identifier];

/** PERF_FORMAT_* bits of read_format. */
export const READ = { enabled: 1, running: 2, id: 4, group: 8, lost: 16 } as const;

const FLAG_SAMPLE_ID_ALL = 18;
const FLAG_USE_CLOCKID = 25;
const FLAG_WRITE_BACKWARD = 27;

/** clockid_t, include/uapi/linux/time.h, by ftrace's name of the same clock where it has one. */
const CLOCKS: ReadonlyMap<number, string> = new Map([
  [0, "realtime"],
  [1, "mono"],
  [4, "mono_raw"],
  [7, "boot"],
  [11, "tai"],
]);

export interface Attr {
  readonly type: number;
  /** Low 32 bits: a tracepoint's id. */
  readonly config: number;
  readonly sampleType: number;
  readonly readFormat: number;
  readonly hasSampleId: boolean;
  /** "" when the attribute names none. */
  readonly clock: string;
  /** perf record --overwrite: a buffer holds its CPU's newest records, how far back differs. */
  readonly isOverwritten: boolean;
  /** Where the fields of its samples lie. */
  readonly sample: SamplePlaces;
  /** Where those of the trailer of its other records lie, from the trailer's beginning; `rest` is its length. */
  readonly trailer: SamplePlaces;
}

/** Its samples are records of a tracepoint or probe. */
export function isRawTracepoint({ type, sampleType }: Attr): boolean {
  return type === TYPE_TRACEPOINT && (sampleType & SAMPLE.raw) !== 0;
}

/** Bytes from the beginning of a record's body or trailer; -1 for a field that is not there. */
export interface SamplePlaces {
  readonly tid: number;
  readonly time: number;
  readonly cpu: number;
  /** What follows the fields of fixed length. */
  readonly rest: number;
}

/** Eight bytes for each field of `order` that `type` has. */
function placesOf(type: number, order: readonly number[]): SamplePlaces {
  const places = new Map<number, number>();
  let at = 0;
  for (const bit of order) {
    if ((type & bit) === 0) continue;
    places.set(bit, at);
    at += 8;
  }
  const of = (bit: number): number => places.get(bit) ?? -1;
  return { tid: of(SAMPLE.tid), time: of(SAMPLE.time), cpu: of(SAMPLE.cpu), rest: at };
}

/** Reads the attribute at `at`; at least MIN_ATTR bytes follow. `length` is how many belong to it. */
export function readAttr(bytes: Uint8Array, at: number, length: number, big: boolean): Attr {
  const flag = (bit: number): boolean => {
    const mask = big ? 0x80 >> (bit & 7) : 1 << (bit & 7);
    return (bytes[at + 40 + (bit >> 3)]! & mask) !== 0;
  };
  const clockId = length >= 96 && flag(FLAG_USE_CLOCKID) ? i32(bytes, at + 92, big) : -1;
  const sampleType = low32(bytes, at + 24, big);
  return {
    type: u32(bytes, at, big),
    config: low32(bytes, at + 8, big),
    sampleType,
    sample: placesOf(sampleType, SAMPLE_ORDER),
    trailer: placesOf(sampleType, TRAILER_ORDER),
    readFormat: low32(bytes, at + 32, big),
    hasSampleId: flag(FLAG_SAMPLE_ID_ALL),
    isOverwritten: flag(FLAG_WRITE_BACKWARD),
    clock: clockId < 0 ? "" : (CLOCKS.get(clockId) ?? `clockid ${clockId}`),
  };
}

/** The events of a recording, found by the id in their records. */
export class AttrTable {
  readonly attrs: Attr[] = [];
  /** Bytes from a sample's beginning to its id, from a trailer's end to its id; -1 when the records have none. */
  sampleIdAt = -1;
  trailerIdAt = -1;
  /** By low and high half: an open table, so that no number is boxed for a record. Empty places have `index` 0. */
  #low: Int32Array = new Int32Array(64);
  #high: Int32Array = new Int32Array(64);
  /** 1 + index of the attribute. */
  #index: Int32Array = new Int32Array(64);
  #size = 0;

  /** The open table that find() looks into: low and high halves by slot, and 1 + index of the attribute. Valid until add(). */
  table(): { readonly low: Int32Array; readonly high: Int32Array; readonly index: Int32Array } {
    return { low: this.#low, high: this.#high, index: this.#index };
  }

  /** `ids` holds 64-bit ids one behind the other. */
  add(attr: Attr, ids: Uint8Array, big: boolean): void {
    if (this.attrs.length === 0) this.#place(attr);
    this.attrs.push(attr);
    for (let at = 0; at + 8 <= ids.length && this.#size < MAX_IDS; at += 8) {
      this.#set(low32(ids, at, big) | 0, high32(ids, at, big) | 0, this.attrs.length);
    }
  }

  /** The event of an id; the only one there is when the id is unknown, else null. */
  find(view: DataView, at: number, big: boolean): Attr | null {
    return this.ofId(view, at, big) ?? (this.attrs.length === 1 ? this.attrs[0]! : null);
  }

  /** The event of the id at `at`, undefined when there is none. */
  ofId(view: DataView, at: number, big: boolean): Attr | undefined {
    const first = view.getInt32(at, !big);
    const second = view.getInt32(at + 4, !big);
    const slot = this.#slot(big ? second : first, big ? first : second);
    return this.attrs[this.#index[slot]! - 1];
  }

  /** The events of a recording have their id at the same place, or one sample type (evlist__valid_sample_type(), perf). */
  #place({ sampleType: type }: Attr): void {
    const has = (bit: number): number => ((type & bit) === 0 ? 0 : 8);
    if (has(SAMPLE.identifier) > 0) {
      this.sampleIdAt = 0;
      this.trailerIdAt = 8;
    } else if (has(SAMPLE.id) > 0) {
      this.sampleIdAt = has(SAMPLE.ip) + has(SAMPLE.tid) + has(SAMPLE.time) + has(SAMPLE.addr);
      this.trailerIdAt = 8 + has(SAMPLE.cpu) + has(SAMPLE.streamId);
    }
  }

  /** Where an id stands, or where it would. */
  #slot(low: number, high: number): number {
    const mask = this.#index.length - 1;
    let slot = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 7;
    for (slot &= mask; ; slot = (slot + 1) & mask) {
      if (this.#index[slot] === 0 || (this.#low[slot] === low && this.#high[slot] === high)) return slot;
    }
  }

  #set(low: number, high: number, index: number): void {
    const slot = this.#slot(low, high);
    if (this.#index[slot] === 0) this.#size++;
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#index[slot] = index;
    if (this.#size * 2 > this.#index.length) this.#grow();
  }

  #grow(): void {
    const [lows, highs, indices] = [this.#low, this.#high, this.#index];
    const size = indices.length * 2;
    this.#low = new Int32Array(size);
    this.#high = new Int32Array(size);
    this.#index = new Int32Array(size);
    for (let i = 0; i < indices.length; i++) {
      if (indices[i] === 0) continue;
      const slot = this.#slot(lows[i]!, highs[i]!);
      this.#low[slot] = lows[i]!;
      this.#high[slot] = highs[i]!;
      this.#index[slot] = indices[i]!;
    }
  }
}

/** Bytes that a record's read values take (PERF_SAMPLE_READ) at `at`; NaN when they cannot be. */
export function readValuesLength(
  view: DataView,
  at: number,
  end: number,
  format: number,
  big: boolean,
): number {
  const times = ((format & READ.enabled) !== 0 ? 8 : 0) + ((format & READ.running) !== 0 ? 8 : 0);
  const each = 8 + ((format & READ.id) !== 0 ? 8 : 0) + ((format & READ.lost) !== 0 ? 8 : 0);
  if ((format & READ.group) === 0) return times + each;
  if (at + 8 > end || view.getUint32(at + (big ? 0 : 4), !big) !== 0) return Number.NaN;
  return 8 + times + view.getUint32(at + (big ? 4 : 0), !big) * each;
}
