// Reader of perf script text. Events go to the shared decoder; the "#" block, call chains and PERF_RECORD_* lines
// are read here.
import { InputError } from "../../base/errors.ts";
import { addArmed } from "../bodies.ts";
import { type EventHead, setComm } from "../event-head.ts";
import type { SeenStamps } from "../kernel.ts";
import { ascii, decodeSample, hexDigit, SPACE, skipSpaces, startsWith } from "../numbers.ts";
import { COMM_WIDTH } from "../plain-head.ts";
import { NOT_AN_EVENT, PERF_LOST } from "../problems.ts";
import { countBinary, type ReaderOptions } from "../reader.ts";
import type { ScannedFormat } from "../scan.ts";
import { type ReaderTally, ScannedReader } from "../scanned-reader.ts";
import { readPerfHead } from "./line-head.ts";
import { readPlainPerfHead } from "./plain-head.ts";

const RECORD = ascii("PERF_RECORD_");
/** A comment line in front of the events: perf has no trace_marker. */
const ARMED = ascii("# forkcast: armed ");
const HASH = 0x23;
const TAB = 0x09;
const CR = 0x0d;
const MAX_RECORD_KINDS = 64;

/** Names perf has for clocks, by ftrace's name of the same clock. */
const CLOCKS: ReadonlyMap<string, string> = new Map([
  ["monotonic", "mono"],
  ["monotonic_raw", "mono_raw"],
  ["boottime", "boot"],
]);

export class PerfScriptReader extends ScannedReader {
  protected readonly kernelFormat = "perf-script";
  readonly readHead: ScannedFormat["readHead"] = readPlainPerfHead;
  readonly #records = new Map<string, number>();
  #firstHi = -1;
  #firstLo = 0;
  #lastHi = -1;
  #lastLo = 0;
  #stepsBack = 0;
  /** Declarations that wait for an event to stand with. */
  #armed: Uint8Array[] = [];

  constructor(options: ReaderOptions) {
    super(options, "func-first");
  }

  line(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    if (isCallChain(bytes, start, end)) return;
    const head = this.sink.head;
    head.bytes = bytes;
    head.start = start;
    head.end = end;
    head.line = lineNo;
    if (!readPerfHead(head, bytes, start, end)) {
      this.#note(bytes, start, end, lineNo);
      return;
    }
    this.matched++;
    this.#watchTime(head.hi, head.lo);
    if (bytes[head.body] === RECORD[0] && startsWith(bytes, head.body, end, RECORD)) this.#record();
    else if (this.sink.begin()) {
      this.decoder.decode();
      for (const names of this.#armed.splice(0)) addArmed(this.sink, names, 0, names.length);
    }
  }

  /** A declaration waits for the next event. */
  override get isWaiting(): boolean {
    return this.#armed.length > 0;
  }

  override count({ hi, lo }: EventHead): void {
    this.matched++;
    this.#watchTime(hi, lo);
  }

  complete(head: EventHead): boolean {
    const { bytes, start, end } = head;
    if (bytes[end - 1] === CR) return false;
    setComm(head, bytes, start, start + COMM_WIDTH);
    return true;
  }

  /** Throws InputError when the stamps are differences (perf script --deltatime). */
  override end(): void {
    if (this.#firstHi === 0 && this.#firstLo === 0 && this.#stepsBack * 4 > this.sink.events) {
      throw new InputError(
        "perf/delta-time",
        "the time stamps begin at 0 and go back every few lines, as perf script --deltatime prints them; leave that option out",
      );
    }
  }

  override skipped(): Record<string, number> {
    return { ...super.skipped(), ...Object.fromEntries(this.#records) };
  }

  override countMany(lines: number, { first, last, stepsBack }: SeenStamps): void {
    super.countMany(lines, { first, last, stepsBack });
    if (first[0] < 0) return;
    this.#watchTime(...first);
    this.#stepsBack += stepsBack;
    [this.#lastHi, this.#lastLo] = last;
  }

  override tally(): ReaderTally {
    return {
      ...super.tally(),
      first: [this.#firstHi, this.#firstLo],
      last: [this.#lastHi, this.#lastLo],
      stepsBack: this.#stepsBack,
    };
  }

  override absorb(tally: ReaderTally): void {
    super.absorb({ ...tally, matched: 0 });
    this.countMany(tally.matched, tally);
  }

  /** perf script sorts by time: stamps that fall again and again are no times. */
  #watchTime(hi: number, lo: number): void {
    if (this.#firstHi < 0) {
      this.#firstHi = hi;
      this.#firstLo = lo;
    } else if (hi < this.#lastHi || (hi === this.#lastHi && lo < this.#lastLo)) this.#stepsBack++;
    this.#lastHi = hi;
    this.#lastLo = lo;
  }

  /** "perf 1234 [000] 405.9: PERF_RECORD_LOST lost 32"; every other record is counted and skipped. */
  #record(): void {
    const { bytes, body, end, cpu, line } = this.sink.head;
    const text = decodeSample(bytes, body, end);
    const name = /^PERF_RECORD_[A-Z_]+/.exec(text)?.[0] ?? "PERF_RECORD";
    if (name === "PERF_RECORD_LOST" || name === "PERF_RECORD_LOST_SAMPLES") {
      const count = /lost[ :]+(\d+)/i.exec(text.slice(name.length));
      this.sink.lost(cpu, count === null ? -1 : Number(count[1]), line);
      this.sink.problemAt(PERF_LOST);
      return;
    }
    if (this.#records.has(name) || this.#records.size < MAX_RECORD_KINDS) {
      this.#records.set(name, (this.#records.get(name) ?? 0) + 1);
    }
  }

  #note(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    const at = skipSpaces(bytes, start, end);
    if (at === end) return;
    const text = decodeSample(bytes, start, end);
    if (bytes[at] === HASH) {
      if (startsWith(bytes, at, end, ARMED)) this.#armed.push(bytes.slice(at + ARMED.length, end));
      this.#headerLine(text);
      this.matched++;
      return;
    }
    // "LOST 145 events!": perf report's wording, printed by some versions of script as well
    const lost = /LOST (\d+) events/.exec(text);
    if (lost !== null) {
      this.matched++;
      this.sink.lost(-1, Number(lost[1]), lineNo);
      this.sink.problem(PERF_LOST, lineNo, bytes, start, end);
      return;
    }
    this.unmatched++;
    if (!countBinary(this.sink, bytes, start, end, lineNo)) {
      this.sink.problem(NOT_AN_EVENT, lineNo, bytes, start, end);
    }
  }

  /** "# os release : 6.12.117+deb12-amd64", "# nrcpus online : 6" */
  #headerLine(text: string): void {
    const release = /^# os release : (\S+)/.exec(text);
    if (release?.[1] !== undefined) this.sink.kernel = release[1];
    const cpus = /^# nrcpus online : (\d+)/.exec(text);
    if (cpus !== null) this.sink.declareCpus(Number(cpus[1]));
    // perf record -k CLOCK_MONOTONIC: "# clockid: monotonic (1)"
    const clock = /^# clockid: (\w+) \(\d+\)/.exec(text);
    if (clock?.[1] !== undefined) this.sink.clock = CLOCKS.get(clock[1]) ?? clock[1];
  }
}

/** "\t          59fef5 copy_user_enhanced_fast_string (/lib/…/vmlinux)": one frame of the event above. */
function isCallChain(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  if (bytes[at] !== TAB && bytes[at] !== SPACE) return false;
  while (at < end && (bytes[at] === TAB || bytes[at] === SPACE)) at++;
  const hex = at;
  while (at < end && hexDigit(bytes[at]!) >= 0) at++;
  return at - hex >= 2 && bytes[start] === TAB && (at === end || bytes[at] === SPACE);
}
