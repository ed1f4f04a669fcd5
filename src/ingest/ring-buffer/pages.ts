// One CPU's ring-buffer pages as a stream of records: rb_update_event(), ring_buffer.c of the kernel, and the file's own
// events/header_page. A page is a time stamp, a commit word and entries; an entry is a 32-bit head (5 bits type or
// length, 27 bits time since the entry before) and its data.
import { high32, low32, SplitTime, u32, viewOf } from "../words.ts";
import type { PageSource } from "./page-source.ts";

/** Where the fields of a page's head lie; the text of events/header_page says. */
export interface PageLayout {
  readonly commitAt: number;
  /** Bytes of the commit word: the kernel's long. */
  readonly commitSize: number;
  readonly dataAt: number;
  /** Bytes of a whole page as that text says; 0 where it does not. */
  readonly pageSize: number;
}

const TYPE_PADDING = 29;
const TYPE_TIME_EXTEND = 30;
const DELTA_BITS = 27;
const DELTA_MASK = (1 << DELTA_BITS) - 1;
/** RB_MISSED_EVENTS, RB_MISSED_STORED: the reader lost events in front of this page; how many stands behind its data. */
const MISSED_EVENTS = 0x80000000;
const MISSED_STORED = 0x40000000;
const COMMIT_MASK = 0x07ffffff;
/** A time extend of more than this is added by halves: its value is not exact in a float64. */
const WIDE_EXTEND = 1 << 25;

/** "field: local_t commit; offset:8; size:8;" and "field: char data; offset:16;"; null when the text has neither. */
export function readPageLayout(headerPage: string): PageLayout | null {
  const commit = /\bcommit;\s*offset:(\d{1,4});\s*size:([48]);/.exec(headerPage);
  const data = /\bdata;\s*offset:(\d{1,4});(?:\s*size:(\d{1,7});)?/.exec(headerPage);
  if (commit === null || data === null) return null;
  const dataAt = Number(data[1]);
  return {
    commitAt: Number(commit[1]),
    commitSize: Number(commit[2]),
    dataAt,
    pageSize: data[2] === undefined ? 0 : dataAt + Number(data[2]),
  };
}

/** Bytes of data in the page at `page`, without the flags of its commit word. */
export function commitOf(
  bytes: Uint8Array,
  page: number,
  { commitAt, commitSize }: PageLayout,
  big: boolean,
): number {
  return commitWord(bytes, page + commitAt, commitSize, big) & COMMIT_MASK;
}

function commitWord(bytes: Uint8Array, at: number, size: number, big: boolean): number {
  return size === 8 ? low32(bytes, at, big) : u32(bytes, at, big);
}

/** Clocks whose stamps are no nanoseconds: trace_clocks[], kernel/trace/trace.c. */
export const TICK_CLOCKS: ReadonlySet<string> = new Set(["counter", "uptime", "x86-tsc", "ppc-tb"]);

/** How ticks of the recording become the times of its rows. */
export interface TimeRule {
  readonly offset: bigint;
  readonly tsc: { readonly mult: number; readonly shift: number } | null;
}

const ONE_BILLION = 1_000_000_000n;
const MASK_64 = (1n << 64n) - 1n;

/** The records of one CPU, in the order they were written. */
export class CpuStream {
  readonly cpu: number;
  /** Which buffer of the file it belongs to. */
  readonly buffer: number;
  /** The record's time, hi * 1e9 + lo. */
  hi = 0;
  lo = 0;
  /** The record: bytes[start, end). */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = viewOf(this.bytes);
  start = 0;
  end = 0;
  /** Events lost in front of the record: 0 none, -1 an unknown number. */
  lost = 0;
  /** Pages whose head or entries cannot be; what they held is lost. */
  damagedPages = 0;
  readonly #source: PageSource;
  readonly #layout: PageLayout;
  readonly #big: boolean;
  readonly #rule: TimeRule | null;
  readonly #time = new SplitTime();
  readonly #wide = new SplitTime();
  #at = 0;
  #pageEnd = 0;
  /** High word of the page's time: an absolute stamp has no room for its top five bits. */
  #pageHigh = 0;
  #pendingLost = 0;

  constructor(
    cpu: number,
    buffer: number,
    source: PageSource,
    layout: PageLayout,
    big: boolean,
    rule: TimeRule | null,
  ) {
    this.cpu = cpu;
    this.buffer = buffer;
    this.#source = source;
    this.#layout = layout;
    this.#big = big;
    this.#rule = rule;
  }

  /** Goes to the next record; false when there is none. */
  next(): boolean {
    for (;;) {
      if (this.#at + 4 <= this.#pageEnd) {
        if (this.#entry()) return true;
      } else if (!this.#nextPage()) return false;
    }
  }

  /** Takes in one entry; true when it is a record. */
  #entry(): boolean {
    const big = this.#big;
    const view = this.view;
    const at = this.#at;
    const head = view.getInt32(at, !big);
    const type = big ? head >>> DELTA_BITS : head & 31;
    const delta = big ? head & DELTA_MASK : head >>> 5;
    if (type >= TYPE_PADDING) {
      this.#special(type, at, delta);
      return false;
    }
    this.#time.add(delta);
    if (type !== 0) return this.#record(at + 4, type * 4);
    // The length stands in the word behind the head and counts itself.
    const length = at + 8 <= this.#pageEnd ? view.getUint32(at + 4, !big) : 0;
    if (length >= 4) return this.#record(at + 8, ((length - 1) >>> 2) * 4);
    this.#damaged();
    return false;
  }

  /** A record of `length` bytes at `at`; false, and the page is left, when it reaches over the page's end. */
  #record(at: number, length: number): boolean {
    const end = at + length;
    if (end > this.#pageEnd) {
      this.#damaged();
      return false;
    }
    this.start = at;
    this.end = end;
    this.#at = end;
    this.lost = this.#pendingLost;
    this.#pendingLost = 0;
    if (this.#rule === null) {
      this.hi = this.#time.hi;
      this.lo = this.#time.lo;
    } else {
      this.#applyRule(this.#rule);
    }
    return true;
  }

  #special(type: number, at: number, delta: number): void {
    if (at + 8 > this.#pageEnd) {
      // A padding entry may be the page's last word: then nothing follows it.
      if (type !== TYPE_PADDING) this.#damaged();
      this.#at = this.#pageEnd;
      return;
    }
    const word = this.view.getUint32(at + 4, !this.#big);
    if (type === TYPE_PADDING) {
      // With no time since the entry before the rest of the page is empty (rb_null_event()); otherwise the entry was
      // discarded, its time counts as libtraceevent counts it (update_pointers(), kbuffer-parse.c).
      this.#time.add(delta);
      this.#at = delta === 0 ? this.#pageEnd : at + 4 + word;
      return;
    }
    this.#at = at + 8;
    if (type === TYPE_TIME_EXTEND) {
      if (word < WIDE_EXTEND) this.#time.add(word * (DELTA_MASK + 1) + delta);
      else this.#addWide(word, delta);
      return;
    }
    // type 31, an absolute stamp of 59 bits
    const low = ((word << DELTA_BITS) | delta) >>> 0;
    const high = (word >>> 5) | (this.#pageHigh & 0xf8000000);
    this.#time.set(high >>> 0, low);
  }

  #addWide(word: number, delta: number): void {
    const time = this.#time;
    this.#wide.set(word >>> 5, ((word << DELTA_BITS) | delta) >>> 0);
    time.hi += this.#wide.hi;
    time.add(this.#wide.lo);
  }

  #applyRule({ offset, tsc }: TimeRule): void {
    let time = BigInt(this.#time.hi) * ONE_BILLION + BigInt(this.#time.lo);
    if (tsc !== null) time = (time * BigInt(tsc.mult)) >> BigInt(tsc.shift);
    time = (time + offset) & MASK_64;
    this.hi = Number(time / ONE_BILLION);
    this.lo = Number(time % ONE_BILLION);
  }

  /** What is left of the page cannot be read. */
  #damaged(): void {
    this.damagedPages++;
    this.#pendingLost = -1;
    this.#at = this.#pageEnd;
  }

  #nextPage(): boolean {
    const source = this.#source;
    if (!source.next()) {
      if (source.isCut || source.wasDamaged) this.#pendingLost = -1;
      return false;
    }
    const { commitAt, commitSize, dataAt } = this.#layout;
    const bytes = source.bytes;
    const page = source.at;
    const big = this.#big;
    const word = commitWord(bytes, page + commitAt, commitSize, big);
    const commit = word & COMMIT_MASK;
    const end = page + dataAt + commit;
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    this.#at = page + dataAt;
    this.#pageEnd = this.#at;
    if (source.wasDamaged) this.#pendingLost = -1;
    if (end > page + source.pageSize) {
      this.#damaged();
      return true;
    }
    this.#pageEnd = end;
    this.#pageHigh = high32(bytes, page, big);
    this.#time.set(this.#pageHigh, low32(bytes, page, big));
    if ((word & MISSED_EVENTS) !== 0) this.#missed(word, end, page + source.pageSize);
    return true;
  }

  #missed(word: number, end: number, pageEnd: number): void {
    const { commitSize } = this.#layout;
    let count = -1;
    if ((word & MISSED_STORED) !== 0 && end + commitSize <= pageEnd) {
      const big = this.#big;
      const high = commitSize === 8 ? high32(this.bytes, end, big) : 0;
      const low = commitSize === 8 ? low32(this.bytes, end, big) : u32(this.bytes, end, big);
      if (high === 0 && low > 0 && low < 0x7fffffff) count = low;
    }
    this.#pendingLost = count < 0 || this.#pendingLost < 0 ? -1 : this.#pendingLost + count;
  }

  /** Events lost behind the last record: 0 none, -1 an unknown number. */
  get lostAtEnd(): number {
    return this.#pendingLost;
  }
}
