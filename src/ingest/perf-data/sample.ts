// Where the fields of a record lie that every reader of perf.data needs: a SAMPLE's, in the order of
// perf_output_sample(), and the trailer that sample_id_all puts behind other records, perf_event__output_id_sample()
// (kernel/events/core.c, 6.12).
import { type Attr, type AttrTable, readValuesLength, SAMPLE, type SamplePlaces } from "./attrs.ts";

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

  /** Reads a SAMPLE's body, [at, end). False when it belongs to no event or ends too early. */
  readSample(view: DataView, at: number, end: number, table: AttrTable, big: boolean): boolean {
    const { sampleIdAt } = table;
    const attr =
      sampleIdAt < 0
        ? (table.attrs[0] ?? null)
        : at + sampleIdAt + 8 <= end
          ? table.find(view, at + sampleIdAt, big)
          : null;
    this.attr = attr;
    if (attr === null) return false;
    let p = at + attr.sample.rest;
    if (p > end) return false;
    this.#readFields(view, at, attr.sample, big);
    this.rawStart = 0;
    this.rawEnd = 0;
    const type = attr.sampleType;
    if ((type & (SAMPLE.read | SAMPLE.callchain)) !== 0) {
      if ((type & SAMPLE.read) !== 0) p += readValuesLength(view, p, end, attr.readFormat, big);
      if ((type & SAMPLE.callchain) !== 0) p += callchainLength(view, p, end, big);
      if (!(p <= end)) return false;
    }
    if ((type & SAMPLE.raw) === 0) return true;
    if (p + 4 > end) return false;
    this.rawStart = p + 4;
    this.rawEnd = p + 4 + view.getUint32(p, !big);
    return this.rawEnd <= end;
  }

  /** Reads the trailer of another record, which ends at `end` and begins at `at` or later. */
  readTrailer(view: DataView, at: number, end: number, table: AttrTable, big: boolean): void {
    this.attr = null;
    this.high = 0;
    this.low = 0;
    this.pid = -1;
    this.tid = -1;
    this.cpu = -1;
    this.rawStart = 0;
    this.rawEnd = 0;
    const attr = trailerAttr(view, at, end, table, big);
    if (attr === null || !attr.hasSampleId) return;
    this.attr = attr;
    const from = end - attr.trailer.rest;
    if (from >= at) this.#readFields(view, from, attr.trailer, big);
  }

  #readFields(view: DataView, at: number, { tid, time, cpu }: SamplePlaces, big: boolean): void {
    this.pid = tid < 0 ? -1 : view.getInt32(at + tid, !big);
    this.tid = tid < 0 ? -1 : view.getInt32(at + tid + 4, !big);
    this.high = time < 0 ? 0 : view.getUint32(at + time + (big ? 0 : 4), !big);
    this.low = time < 0 ? 0 : view.getUint32(at + time + (big ? 4 : 0), !big);
    this.cpu = cpu < 0 ? -1 : view.getInt32(at + cpu, !big);
  }
}

/** <8> number of addresses, then the addresses; NaN when that cannot be. */
function callchainLength(view: DataView, at: number, end: number, big: boolean): number {
  return at + 8 <= end && view.getUint32(at + (big ? 0 : 4), !big) === 0
    ? 8 + view.getUint32(at + (big ? 4 : 0), !big) * 8
    : Number.NaN;
}

function trailerAttr(view: DataView, at: number, end: number, table: AttrTable, big: boolean): Attr | null {
  const first = table.attrs[0];
  if (first === undefined) return null;
  const p = end - table.trailerIdAt;
  if (table.trailerIdAt < 0 || p < at) return first;
  // Records perf made up itself (of tasks that were there before) have a trailer of zeros.
  return table.find(view, p, big) ?? first;
}
