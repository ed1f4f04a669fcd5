// Reader of what `bpftrace -f json` prints when its script prints the recorder's CSV: one JSON object a line,
// {"type": "printf", "data": "<text>"} among them; the texts together are the CSV. Types: JsonOutput, bpftrace
// src/output.cpp (0.9 to 0.21).
import type { ProbeInfo } from "../../table/event-batch.ts";
import { CsvReader } from "../csv/index.ts";
import { handLines } from "../lines.ts";
import { skipBlanks } from "../numbers.ts";
import { CSV_LOST, NOT_AN_EVENT, TRUNCATED_LINE } from "../problems.ts";
import { countBinary, countLongLine, type FormatReader, type ReaderOptions } from "../reader.ts";
import type { Sink } from "../sink.ts";

/** Longest text without a line end that is kept; a printf() prints at most 1 KiB at once. */
const MAX_OPEN = 1 << 16;

/** One object bpftrace prints, as far as it is read. */
interface Message {
  readonly type: string;
  readonly data: unknown;
}

export class BpftraceJsonReader implements FormatReader {
  readonly #sink: Sink;
  readonly #csv: CsvReader;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();
  /** Text printed since the last line end. */
  #open = "";
  #lineNo = 0;
  #unmatched = 0;
  #matched = 0;

  constructor(options: ReaderOptions) {
    this.#sink = options.sink;
    this.#csv = new CsvReader(options);
  }

  get unmatched(): number {
    return this.#unmatched + this.#csv.unmatched;
  }

  get matched(): number {
    return this.#matched + this.#csv.matched;
  }

  line(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    this.#lineNo = lineNo;
    if (skipBlanks(bytes, start, end) === end) return;
    const message = messageOf(this.#decoder.decode(bytes.subarray(start, end)));
    if (message === null) {
      this.#unmatched++;
      if (!countBinary(this.#sink, bytes, start, end, lineNo)) {
        this.#sink.problem(NOT_AN_EVENT, lineNo, bytes, start, end);
      }
      return;
    }
    this.#matched++;
    if (message.type === "printf" && typeof message.data === "string") this.#print(message.data);
    else if (message.type === "lost_events") this.#lost(message.data, bytes, start, end);
  }

  lines(bytes: Uint8Array, from: number, to: number, lineNo: number): number {
    return handLines(this, bytes, from, to, lineNo);
  }

  longLine(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    this.#unmatched++;
    countLongLine(this.#sink, bytes, start, end, lineNo);
  }

  end(): void {
    if (this.#open !== "") {
      const text = this.#encoder.encode(this.#open);
      this.#sink.problem(TRUNCATED_LINE, this.#lineNo, text, 0, text.length);
    }
    this.#csv.end();
  }

  skipped(): Record<string, number> {
    return this.#csv.skipped();
  }

  probes(): ProbeInfo[] {
    return this.#csv.probes();
  }

  /** One printf() may print a part of a line or several. */
  #print(data: string): void {
    const texts = (this.#open + data).split("\n");
    this.#open = texts.pop() ?? "";
    for (const text of texts) {
      const line = this.#encoder.encode(text);
      this.#csv.line(line, 0, line.length, this.#lineNo);
    }
    if (this.#open.length <= MAX_OPEN) return;
    const rest = this.#encoder.encode(this.#open);
    this.#open = "";
    this.longLine(rest, 0, rest.length, this.#lineNo);
  }

  /** {"type": "lost_events", "data": {"events": 10}} */
  #lost(data: unknown, bytes: Uint8Array, start: number, end: number): void {
    const events = typeof data === "object" && data !== null && "events" in data ? Number(data.events) : -1;
    this.#csv.lost(Number.isInteger(events) && events >= 0 ? events : -1, this.#lineNo);
    this.#sink.problem(CSV_LOST, this.#lineNo, bytes, start, end);
  }
}

/** The object of a line; null when it is none that bpftrace prints. */
function messageOf(text: string): Message | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || !("type" in value)) return null;
  const { type } = value;
  return typeof type === "string" ? { type, data: "data" in value ? value.data : undefined } : null;
}
