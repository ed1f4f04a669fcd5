// Where the fields of a record lie that every reader of perf.data needs: a SAMPLE's, in the order of
// perf_output_sample(), and the trailer that sample_id_all puts behind other records, perf_event__output_id_sample()
// (kernel/events/core.c, 6.12).
import { high32, i32, low32, u32 } from "../words.ts";
import { type Attr, type AttrTable, readValuesLength, SAMPLE } from "./attrs.ts";

const COMMON_TRAILER =
  SAMPLE.tid | SAMPLE.time | SAMPLE.id | SAMPLE.streamId | SAMPLE.cpu | SAMPLE.identifier;

/** What is known of the record read last; overwritten by the next. */
export class RecordHead {
  attr: Attr | null = null;
  /** Time as two halves; both 0 when the record has none. */
  high = 0;
  low = 0;
  pid = -1;
  tid = -1;
  cpu = -1;
  /** The tracepoint's data: [rawStart, rawEnd); empty when there are none. */
  rawStart = 0;
  rawEnd = 0;

  #clear(): void {
    this.attr = null;
    this.high = 0;
    this.low = 0;
    this.pid = -1;
    this.tid = -1;
    this.cpu = -1;
    this.rawStart = 0;
    this.rawEnd = 0;
  }

  /** Reads a SAMPLE's body, bytes[at, end). False when it belongs to no event or ends too early. */
  readSample(bytes: Uint8Array, at: number, end: number, table: AttrTable, big: boolean): boolean {
    this.#clear();
    const attr = sampleAttr(bytes, at, end, table, big);
    if (attr === null) return false;
    this.attr = attr;
    const type = attr.sampleType;
    let p = at + ((type & SAMPLE.identifier) === 0 ? 0 : 8) + ((type & SAMPLE.ip) === 0 ? 0 : 8);
    p = this.#readTidTime(bytes, p, end, type, big);
    p += lengthOf(type & (SAMPLE.addr | SAMPLE.id | SAMPLE.streamId));
    if ((type & SAMPLE.cpu) !== 0 && p + 8 <= end) this.cpu = i32(bytes, p, big);
    p += lengthOf(type & (SAMPLE.cpu | SAMPLE.period));
    if ((type & SAMPLE.read) !== 0) p += readValuesLength(bytes, p, end, attr.readFormat, big);
    if ((type & SAMPLE.callchain) !== 0) p += callchainLength(bytes, p, end, big);
    if (!(p <= end)) return false;
    return (type & SAMPLE.raw) === 0 || this.#readRaw(bytes, p, end, big);
  }

  #readRaw(bytes: Uint8Array, at: number, end: number, big: boolean): boolean {
    if (at + 4 > end) return false;
    this.rawStart = at + 4;
    this.rawEnd = at + 4 + u32(bytes, at, big);
    return this.rawEnd <= end;
  }

  #readTidTime(bytes: Uint8Array, at: number, end: number, type: number, big: boolean): number {
    let p = at;
    if ((type & SAMPLE.tid) !== 0) {
      if (p + 8 <= end) {
        this.pid = i32(bytes, p, big);
        this.tid = i32(bytes, p + 4, big);
      }
      p += 8;
    }
    if ((type & SAMPLE.time) !== 0) {
      if (p + 8 <= end) {
        this.high = high32(bytes, p, big);
        this.low = low32(bytes, p, big);
      }
      p += 8;
    }
    return p;
  }

  /** Reads the trailer of another record, which ends at `end` and begins at `at` or later. */
  readTrailer(bytes: Uint8Array, at: number, end: number, table: AttrTable, big: boolean): void {
    this.#clear();
    const attr = trailerAttr(bytes, at, end, table, big);
    if (attr === null || !attr.hasSampleId) return;
    this.attr = attr;
    const type = attr.sampleType & COMMON_TRAILER;
    let p = end - lengthOf(type);
    if (p < at) return;
    p = this.#readTidTime(bytes, p, end, type, big);
    if ((type & SAMPLE.id) !== 0) p += 8;
    if ((type & SAMPLE.streamId) !== 0) p += 8;
    if ((type & SAMPLE.cpu) !== 0) this.cpu = i32(bytes, p, big);
  }
}

/** Eight bytes for each bit that is set. */
function lengthOf(type: number): number {
  let length = 0;
  for (let rest = type; rest !== 0; rest &= rest - 1) length += 8;
  return length;
}

/** <8> number of addresses, then the addresses; NaN when that cannot be. */
function callchainLength(bytes: Uint8Array, at: number, end: number, big: boolean): number {
  return at + 8 <= end && high32(bytes, at, big) === 0 ? 8 + low32(bytes, at, big) * 8 : Number.NaN;
}

/** The events of a recording have their id at the same place, or one sample type (evlist__valid_sample_type(), perf). */
function sampleAttr(bytes: Uint8Array, at: number, end: number, table: AttrTable, big: boolean): Attr | null {
  const first = table.attrs[0];
  if (first === undefined) return null;
  const type = first.sampleType;
  let p = at;
  if ((type & SAMPLE.identifier) === 0) {
    if ((type & SAMPLE.id) === 0) return first;
    for (const bit of [SAMPLE.ip, SAMPLE.tid, SAMPLE.time, SAMPLE.addr]) if ((type & bit) !== 0) p += 8;
  }
  return p + 8 <= end ? table.find(bytes, p, big) : null;
}

function trailerAttr(
  bytes: Uint8Array,
  at: number,
  end: number,
  table: AttrTable,
  big: boolean,
): Attr | null {
  const first = table.attrs[0];
  if (first === undefined) return null;
  const type = first.sampleType;
  let p = end - 8;
  if ((type & SAMPLE.identifier) === 0) {
    if ((type & SAMPLE.id) === 0) return first;
    if ((type & SAMPLE.cpu) !== 0) p -= 8;
    if ((type & SAMPLE.streamId) !== 0) p -= 8;
  }
  if (p < at) return first;
  // Records perf made up itself (of tasks that were there before) have a trailer of zeros.
  return table.find(bytes, p, big) ?? first;
}
