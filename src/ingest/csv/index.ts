// Reader of the bpftrace recorder's CSV. Plain records are read from the bytes (plain.ts); other lines are gathered into
// blocks for papaparse: unquoted files as they are (the name is last and raw, commas and quotes included), quoted ones by
// the standard's rules.
import Papa from "papaparse";
import { InputError, quote } from "../../base/errors.ts";
import type { ProbeInfo } from "../../table/event-batch.ts";
import { addArmed } from "../bodies.ts";
import { handLines } from "../lines.ts";
import { ascii, decodeSample, startsWith } from "../numbers.ts";
import { CSV_BAD_ROW, CSV_LOST, TRUNCATED_LINE } from "../problems.ts";
import { countBinary, countLongLine, type FormatReader, type ReaderOptions } from "../reader.ts";
import type { Sink } from "../sink.ts";
import { type CsvLayout, readCsvHeader } from "./columns.ts";
import { PlainRecord } from "./plain.ts";
import { CsvRows } from "./rows.ts";

const BLOCK_BYTES = 1 << 16;
const COMMA = 0x2c;
const QUOTE = 0x22;
const LF = 0x0a;
const ARMED = ascii("# forkcast: armed ");
const KERNEL = ascii("# forkcast: kernel ");
const MAX_SKIPPED_NAMES = 512;

export class CsvReader implements FormatReader {
  unmatched = 0;
  matched = 0;
  readonly #sink: Sink;
  #layout: CsvLayout | null = null;
  #rows: CsvRows | null = null;
  /** Null where everything is left to papaparse. */
  #plain: PlainRecord | null = null;
  readonly #isNaive: boolean;
  readonly #skipped = new Map<string, number>();
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  /** Records gathered so far, parted by line feeds; `#starts` and `#lines` say where each begins. */
  #block: Uint8Array = new Uint8Array(BLOCK_BYTES * 2);
  #length = 0;
  #starts: number[] = [];
  #lines: number[] = [];
  /** A quoted field is open: the next line belongs to the same record. */
  #open = false;
  #armed: Uint8Array[] = [];

  constructor({ sink, naive }: ReaderOptions) {
    this.#sink = sink;
    this.#isNaive = naive === true;
    // nsecs of bpftrace is CLOCK_MONOTONIC.
    sink.clock = "mono";
  }

  line(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    const first = bytes[start]!;
    const isRecord = end > start && ((first >= 0x30 && first <= 0x39) || first === QUOTE);
    if (this.#layout === null) {
      if (!isRecord || first === QUOTE) this.#preamble(bytes, start, end, lineNo);
      else this.#bad(bytes, start, end, lineNo);
      return;
    }
    if (isRecord && this.#plain !== null && this.#armed.length === 0 && this.#plain.read(bytes, start, end)) {
      this.#flush();
      this.#plain.add(start, end, lineNo);
      this.matched++;
      return;
    }
    if (!this.#open && !isRecord && this.#note(bytes, start, end, lineNo)) return;
    this.#gather(bytes, start, end, lineNo, this.#layout);
  }

  lines(bytes: Uint8Array, from: number, to: number, lineNo: number): number {
    return handLines(this, bytes, from, to, lineNo);
  }

  longLine(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    this.unmatched++;
    countLongLine(this.#sink, bytes, start, end, lineNo);
  }

  /** Throws InputError when the file ended without a header row. A record whose quotes never close is dropped. */
  end(): void {
    if (this.#open) this.#dropOpenRecord();
    this.#flush();
    if (this.#layout === null) {
      throw new InputError("csv/no-header", "no header row (ts_ns,cpu,pid,tid,event,…) in this CSV");
    }
  }

  /** bpftrace lost `events` (-1: it does not say how many) between the records read so far and the next. */
  lost(events: number, lineNo: number): void {
    this.#flush();
    this.#sink.lost(-1, events, lineNo);
  }

  skipped(): Record<string, number> {
    return Object.fromEntries(this.#skipped);
  }

  /** A CSV names events, not probes. */
  probes(): ProbeInfo[] {
    return [];
  }

  #preamble(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    const text = this.#decoder.decode(bytes.subarray(start, end));
    const layout = readCsvHeader(text);
    if (layout === null) {
      if (!this.#note(bytes, start, end, lineNo)) this.#bad(bytes, start, end, lineNo);
      return;
    }
    if (layout.missing.length > 0) {
      throw new InputError(
        "csv/missing-column",
        `the CSV header ${quote(text)} has no column ${layout.missing.join(", ")}`,
      );
    }
    this.#layout = layout;
    this.#rows = new CsvRows(this.#sink, layout);
    if (layout.rawComm && !this.#isNaive) this.#plain = new PlainRecord(this.#sink, layout);
    this.matched++;
  }

  /** Lines bpftrace prints between records; false when the line is none of them. */
  #note(bytes: Uint8Array, start: number, end: number, lineNo: number): boolean {
    if (start === end) return true;
    if (startsWith(bytes, start, end, ARMED)) {
      this.#flush();
      this.#armed.push(bytes.slice(start + ARMED.length, end));
      this.matched++;
      return true;
    }
    if (startsWith(bytes, start, end, KERNEL)) {
      this.#sink.kernel = decodeSample(bytes, start + KERNEL.length, end).trim();
      this.matched++;
      return true;
    }
    const text = decodeSample(bytes, start, end);
    const lost = /^Lost (\d+) events$/.exec(text);
    if (lost !== null) {
      this.lost(Number(lost[1]), lineNo);
      this.#sink.problem(CSV_LOST, lineNo, bytes, start, end);
      this.matched++;
      return true;
    }
    if (/^(?:Attaching \d+ probes?\.\.\.|#.*|@.*|\s*)$/.test(text)) return true;
    return false;
  }

  #gather(bytes: Uint8Array, start: number, end: number, lineNo: number, layout: CsvLayout): void {
    const length = end - start;
    if (this.#length + length + 1 > this.#block.length) {
      const grown = new Uint8Array((this.#length + length) * 2);
      grown.set(this.#block.subarray(0, this.#length));
      this.#block = grown;
    }
    if (this.#length > 0) this.#block[this.#length++] = LF;
    if (!this.#open) {
      this.#starts.push(this.#length);
      this.#lines.push(lineNo);
    }
    this.#block.set(bytes.subarray(start, end), this.#length);
    this.#length += length;
    if (!layout.rawComm && hasOddQuotes(bytes, start, end)) this.#open = !this.#open;
    if (this.#length >= BLOCK_BYTES && (!this.#open || this.#length >= BLOCK_BYTES * 2)) this.#flush();
  }

  #flush(): void {
    if (this.#starts.length === 0 || this.#layout === null || this.#rows === null) return;
    const raw = this.#layout.rawComm;
    const text = this.#decoder.decode(this.#block.subarray(0, this.#length));
    const records = Papa.parse<string[]>(text, { delimiter: ",", newline: "\n", fastMode: raw }).data;
    for (let i = 0; i < records.length && i < this.#starts.length; i++) {
      this.#record(records[i]!, i, raw, this.#layout, this.#rows);
    }
    this.#starts = [];
    this.#lines = [];
    this.#length = 0;
    this.#open = false;
  }

  #record(record: readonly string[], i: number, raw: boolean, layout: CsvLayout, rows: CsvRows): void {
    const head = this.#sink.head;
    const start = this.#starts[i]!;
    const end = i + 1 < this.#starts.length ? this.#starts[i + 1]! - 1 : this.#length;
    head.line = this.#lines[i]!;
    head.bytes = this.#block;
    head.start = start;
    head.end = end;
    if (record.length < layout.columns - (layout.index.comm >= 0 ? 1 : 0)) {
      this.#bad(this.#block, start, end, head.line);
      return;
    }
    if (raw) this.#setRawComm(start, end, layout.columns);
    else this.#setComm(record[layout.index.comm] ?? "", start, end);
    const fate = rows.add(record);
    if (fate === "bad") {
      this.#bad(this.#block, start, end, head.line);
      return;
    }
    this.matched++;
    if (fate === "skipped") this.#countSkipped(record[layout.index.event] ?? "");
    while (this.#armed.length > 0) {
      const names = this.#armed.shift()!;
      addArmed(this.#sink, names, 0, names.length);
    }
  }

  /** Everything behind the last separator: "…,prev_tid=0;prev_state=0,q"uo,te". */
  #setRawComm(start: number, end: number, columns: number): void {
    const bytes = this.#block;
    let at = start;
    for (let commas = 0; at < end && commas < columns - 1; at++) if (bytes[at] === COMMA) commas++;
    this.#sink.head.commStart = at;
    this.#sink.head.commEnd = end;
  }

  #setComm(comm: string, start: number, end: number): void {
    const head = this.#sink.head;
    const name = this.#encoder.encode(comm);
    const bytes = new Uint8Array(name.length + end - start);
    bytes.set(name);
    bytes.set(this.#block.subarray(start, end), name.length);
    head.bytes = bytes;
    head.commStart = 0;
    head.commEnd = name.length;
    head.start = name.length;
    head.end = bytes.length;
  }

  #countSkipped(name: string): void {
    const key = this.#skipped.has(name) || this.#skipped.size < MAX_SKIPPED_NAMES ? name : "(other)";
    this.#skipped.set(key, (this.#skipped.get(key) ?? 0) + 1);
  }

  #dropOpenRecord(): void {
    const start = this.#starts.pop() ?? 0;
    const lineNo = this.#lines.pop() ?? 0;
    this.#sink.problem(TRUNCATED_LINE, lineNo, this.#block, start, this.#length);
    this.#length = Math.max(0, start - 1);
    this.#open = false;
  }

  #bad(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    this.unmatched++;
    if (!countBinary(this.#sink, bytes, start, end, lineNo)) {
      this.#sink.problem(CSV_BAD_ROW, lineNo, bytes, start, end);
    }
  }
}

function hasOddQuotes(bytes: Uint8Array, start: number, end: number): boolean {
  let odd = false;
  for (let i = start; i < end; i++) if (bytes[i] === QUOTE) odd = !odd;
  return odd;
}
