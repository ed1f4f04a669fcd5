// Reader of `trace-cmd report` text, with or without -R (raw bodies), -l (latency columns), -t, --ts-diff and
// the flags column of newer versions. Events go to the shared decoder; trace-cmd's own lines are read here.
import { type EventHead, setComm } from "../event-head.ts";
import { decodeSample, digitsEnd, LPAREN, RPAREN, skipSpaces } from "../numbers.ts";
import { COMM_WIDTH, readPlainHead } from "../plain-head.ts";
import { NOT_AN_EVENT, TRACE_CMD_DROPPED } from "../problems.ts";
import { countBinary, type ReaderOptions } from "../reader.ts";
import type { ScannedFormat } from "../scan.ts";
import { ScannedReader } from "../scanned-reader.ts";
import { contextOfFlags, readTaskPidHead } from "../task-pid-head.ts";
import { readLatencyHead } from "./latency-head.ts";

const PLUS = 0x2b;
const CR = 0x0d;

export class TraceCmdReportReader extends ScannedReader {
  protected readonly kernelFormat = "trace-cmd-report";
  readonly readHead: ScannedFormat["readHead"] = readPlainHead;

  constructor(options: ReaderOptions) {
    super(options, "func-first");
  }

  line(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    const head = this.sink.head;
    head.bytes = bytes;
    head.start = start;
    head.end = end;
    head.line = lineNo;
    if (!readTaskPidHead(head, bytes, start, end, -1) && !readLatencyHead(head, bytes, start, end)) {
      this.#note(bytes, start, end, lineNo);
      return;
    }
    this.matched++;
    skipDelta(head);
    if (this.sink.begin()) this.decoder.decode();
  }

  complete(head: EventHead): boolean {
    const { bytes, start, end } = head;
    if (bytes[end - 1] === CR) return false;
    setComm(head, bytes, start, start + COMM_WIDTH);
    head.ctx = contextOfFlags(bytes, head.flagsStart, head.flagsEnd, -1);
    return true;
  }

  #note(bytes: Uint8Array, start: number, end: number, lineNo: number): void {
    const sink = this.sink;
    const text = decodeSample(bytes, start, end);
    if (text.trim() === "") return;
    const cpus = /^cpus=(\d+)$/.exec(text);
    if (cpus !== null) sink.declareCpus(Number(cpus[1]));
    // "CPU:1 [145 EVENTS DROPPED]", "CPU:1 [EVENTS DROPPED]": show_data(), trace-cmd
    const dropped = /^CPU:(\d+) \[(?:(\d+) )?EVENTS DROPPED\]/.exec(text);
    if (dropped !== null) {
      sink.lost(Number(dropped[1]), dropped[2] === undefined ? -1 : Number(dropped[2]), lineNo);
      sink.problem(TRACE_CMD_DROPPED, lineNo, bytes, start, end);
    }
    if (
      cpus !== null ||
      dropped !== null ||
      /^(?:version = \d+|CPU \d+ is empty|trace-cmd: | {2}\[)/.test(text)
    ) {
      this.matched++;
      return;
    }
    this.unmatched++;
    if (!countBinary(sink, bytes, start, end, lineNo)) sink.problem(NOT_AN_EVENT, lineNo, bytes, start, end);
  }
}

/** With --ts-diff the time since the line before stands in front of the name: "232.862438: (+285)   mmput: ". */
function skipDelta(head: EventHead): void {
  const { bytes, body, end } = head;
  if (bytes[body] !== LPAREN || bytes[body + 1] !== PLUS) return;
  const stop = digitsEnd(bytes, body + 2, end);
  if (bytes[stop] === RPAREN) head.body = skipSpaces(bytes, stop + 1, end);
}
