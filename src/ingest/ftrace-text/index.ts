// Reader of /sys/kernel/tracing/trace and trace_pipe text. Event lines go to the shared head parser and decoder;
// the header block and the lines between events are read here.
import { NONE } from "../../table/event-batch.ts";
import { type EventHead, setComm } from "../event-head.ts";
import { skipBlanks } from "../numbers.ts";
import { COMM_WIDTH, readPlainHead } from "../plain-head.ts";
import { FTRACE_BAD_HEADER, FTRACE_LINE_TOO_BIG, FTRACE_LOST, FTRACE_OVERWRITTEN } from "../problems.ts";
import { countBinary, type ReaderOptions } from "../reader.ts";
import type { ScannedFormat } from "../scan.ts";
import { ScannedReader } from "../scanned-reader.ts";
import { contextOfFlags, readTaskPidHead } from "../task-pid-head.ts";
import { newFtraceHeader, readHeaderLine } from "./head.ts";
import { readNote } from "./notes.ts";

const HASH = 0x23;
const CR = 0x0d;
const BACKSLASH = 0x5c;
const LOWER_N = 0x6e;

export class FtraceTextReader extends ScannedReader {
  protected readonly kernelFormat = "ftrace-text";
  readonly readHead: ScannedFormat["readHead"] = readPlainHead;
  readonly #header = newFtraceHeader();
  /** The lines that follow are ps's, until a header or an event. */
  #inThreadList = false;

  constructor(options: ReaderOptions) {
    super(options, "caller-first");
    this.#header.irqColumn = options.state?.irqColumn ?? -1;
  }

  line(bytes: Uint8Array, start: number, lineEnd: number, lineNo: number): void {
    const end = withoutScriptEnd(bytes, start, lineEnd);
    if (bytes[start] === HASH) {
      this.#note(bytes, start, end, lineNo);
      return;
    }
    const head = this.sink.head;
    head.bytes = bytes;
    head.start = start;
    head.end = end;
    head.line = lineNo;
    if (!readTaskPidHead(head, bytes, start, end, this.#header.irqColumn)) {
      this.#note(bytes, start, end, lineNo);
      return;
    }
    this.matched++;
    if (this.sink.begin()) this.decoder.decode();
  }

  complete(head: EventHead): boolean {
    const { bytes, start, end } = head;
    if (bytes[end - 1] === CR || bytes[end - 1] === BACKSLASH) return false;
    setComm(head, bytes, start, start + COMM_WIDTH);
    head.ctx = contextOfFlags(bytes, head.flagsStart, head.flagsEnd, this.#header.irqColumn);
    return true;
  }

  override end(): void {
    this.sink.declareCpus(this.#header.cpus);
  }

  override get irqColumn(): number {
    return this.#header.irqColumn;
  }

  #note(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    if (skipBlanks(bytes, start, end) === end) return;
    const sink = this.sink;
    const note = readNote(bytes, start, end);
    if (note === null) {
      if (this.#inThreadList) return;
      this.unmatched++;
      if (!countBinary(sink, bytes, start, end, lineNo))
        sink.problem(FTRACE_BAD_HEADER, lineNo, bytes, start, end);
      return;
    }
    this.matched++;
    this.#inThreadList = note.is === "thread-list";
    if (note.is === "lost") {
      sink.lost(note.cpu, note.events, lineNo);
      sink.problem(FTRACE_LOST, lineNo, bytes, start, end);
    } else if (note.is === "started") {
      sink.bufferStarted(note.cpu, lineNo);
    } else if (note.is === "too-big") {
      sink.problem(FTRACE_LINE_TOO_BIG, lineNo, bytes, start, end);
    } else if (note.is === "frame" && readHeaderLine(this.#header, bytes, start, end)) {
      sink.problem(FTRACE_OVERWRITTEN, lineNo, bytes, start, end);
      // Each CPU's buffer begins later by what was overwritten there.
      sink.bufferStarted(NONE, lineNo);
      if (sink.lostEvents >= 0) sink.lostEvents += this.#header.overwritten;
    }
  }
}

/** Text cut out of a systrace page ends its lines in a literal "\n\", as a JavaScript string does. */
function withoutScriptEnd(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[end - 1] !== BACKSLASH || end - start < 3) return end;
  return bytes[end - 2] === LOWER_N && bytes[end - 3] === BACKSLASH ? end - 3 : end;
}
