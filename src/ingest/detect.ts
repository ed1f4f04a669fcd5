// Which format an input is, from its first 64 KiB: by what the line parsers accept, not by its name. Known variants
// that cannot be replayed are refused here with what to switch off. Called once by index.ts.
import { InputError, quote } from "../base/errors.ts";
import { BabeltraceHead } from "./babeltrace-text/head.ts";
import { readCsvHeader } from "./csv/columns.ts";
import { EventHead } from "./event-head.ts";
import { COLON, SPACE } from "./numbers.ts";
import { readPerfHead } from "./perf-script/line-head.ts";
import { readTaskPidHead } from "./task-pid-head.ts";
import { readLatencyHead } from "./trace-cmd-report/latency-head.ts";

/** Formats that can be read; the names are those of --format and TraceMeta.format. */
export const FORMATS = [
  "ftrace-text",
  "trace-cmd-report",
  "perf-script",
  "csv",
  "babeltrace-text",
  "systrace-html",
  "bpftrace-json",
] as const;
export type FormatName = (typeof FORMATS)[number];

/** A decision and what it rests on, in words. */
export interface Detection {
  readonly format: FormatName;
  readonly reason: string;
}

/** Bytes detection looks at. */
export const DETECT_BYTES: number = 1 << 16;

interface Magic {
  readonly bytes: readonly number[];
  readonly what: string;
}

const PERFETTO_EXPORT = "what `trace_processor export arrow_tar -o tables.tar TRACE` writes";

const MAGICS: readonly Magic[] = [
  {
    bytes: [0x17, 0x08, 0x44],
    what: "a trace.dat recording and no text (format trace-dat)",
  },
  {
    bytes: [0x50, 0x45, 0x52, 0x46],
    what: "a perf.data recording and no text (format perf-data)",
  },
  {
    bytes: [0x1f, 0x8b],
    what: "gzip inside gzip or compressed data under another name; decompress it first",
  },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: "zstd data; decompress it first" },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a], what: "xz data; decompress it first" },
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: "a zip archive; unpack it first" },
  { bytes: [0xc1, 0x1f, 0xfc, 0xc1], what: "a CTF stream; LTTng traces are not read" },
  {
    bytes: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66, 0x6f, 0x72, 0x6d, 0x61, 0x74, 0x20, 0x33, 0],
    what: `an SQLite database; of a Perfetto trace ${PERFETTO_EXPORT} is read`,
  },
  { bytes: [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31], what: "an Arrow file; pass it to `forkcast replay`" },
];

/** {"type": "printf", "data": "…"} */
const BPFTRACE_OBJECT = /^\{"type": *"[a-z_]+", *"data": */;

const babeltrace = new BabeltraceHead();

const EXPECTED =
  "expected ftrace text (`cat /sys/kernel/tracing/trace`), `trace-cmd report`, `perf script`, babeltrace2 text or CSV with a header row";

/** Lines each parser accepts, and signs that tell formats with alike heads apart. */
interface Tally {
  lines: number;
  taskPid: number;
  latency: number;
  perf: number;
  babeltrace: number;
  /** Names padded to a column, as trace-cmd prints them, and names that are not. */
  padded: number;
  unpadded: number;
  ftraceSigns: number;
  traceCmdSigns: number;
  csvHeader: boolean;
}

/**
 * Decides the format of an input that begins with `head`. Throws InputError, naming `path`, for an empty or binary
 * input, an unknown format, or a known variant that lacks what replay needs.
 */
export function detect(head: Uint8Array, path: string): Detection {
  refuseBinary(head, path);
  const texts = new TextDecoder().decode(head).split(/\r?\n/);
  if (isHtml(texts)) return { format: "systrace-html", reason: "an HTML page, as systrace writes" };
  const objects = texts.filter((text) => BPFTRACE_OBJECT.test(text)).length;
  if (objects * 2 > texts.length - 1 && objects > 0)
    return { format: "bpftrace-json", reason: `${objects} lines are objects of bpftrace -f json` };
  refuseVariants(texts, path);
  const tally = tallyLines(head);
  if (tally.csvHeader) return { format: "csv", reason: "a header row with the recorder's columns" };
  if (tally.babeltrace > tally.taskPid + tally.latency + tally.perf) {
    return {
      format: "babeltrace-text",
      reason: `${tally.babeltrace} of ${tally.lines} lines begin as babeltrace prints events`,
    };
  }
  if (tally.taskPid + tally.latency >= tally.perf && tally.taskPid + tally.latency > 0)
    return taskPidFormat(tally);
  if (tally.perf > 0) {
    return {
      format: "perf-script",
      reason: `${tally.perf} of ${tally.lines} lines begin as perf script prints them`,
    };
  }
  if (head.includes(0)) refuseNul(path);
  return refuseUnknown(texts, path);
}

/** Throws InputError when the input is empty, of a known binary format, or has NUL bytes in its first line. */
export function refuseBinary(head: Uint8Array, path: string): void {
  if (head.length === 0) throw new InputError("ingest/empty", `${path} is empty; ${EXPECTED}`);
  for (const magic of MAGICS) {
    if (magic.bytes.every((byte, i) => head[i] === byte)) {
      throw new InputError("ingest/binary", `${path} is ${magic.what}`);
    }
  }
  if (isPerfettoTrace(head))
    throw new InputError("ingest/binary", `${path} is a Perfetto trace; ${PERFETTO_EXPORT} is read`);
  const newline = head.indexOf(0x0a);
  if (head.subarray(0, newline < 0 ? head.length : newline).includes(0)) refuseNul(path);
}

/**
 * Packets one after another, each tag 0x0a, length, contents (protos/perfetto/trace/trace.proto: repeated TracePacket packet
 * = 1). Three of them, or two that fill the input, and a NUL: no text is like that.
 */
function isPerfettoTrace(head: Uint8Array): boolean {
  let at = 0;
  let packets = 0;
  while (packets < 3 && head[at] === 0x0a) {
    let length = 0;
    let place = 0;
    do length += (head[++at]! & 0x7f) * 2 ** (7 * place++);
    while (head[at]! >= 0x80 && place < 5);
    at += 1 + length;
    packets++;
  }
  return (packets === 3 || (packets === 2 && at === head.length)) && head.includes(0);
}

function refuseNul(path: string): never {
  throw new InputError("ingest/binary", `${path} is no text (it holds NUL bytes); ${EXPECTED}`);
}

function taskPidFormat(tally: Tally): Detection {
  const hits = tally.taskPid + tally.latency;
  const seen = `${hits} of ${tally.lines} lines begin with TASK-PID and a CPU`;
  if (tally.latency > tally.taskPid)
    return { format: "trace-cmd-report", reason: `${seen}, as report -l prints` };
  if (tally.traceCmdSigns > 0 && tally.ftraceSigns === 0) {
    return { format: "trace-cmd-report", reason: `${seen}, after a cpus= line` };
  }
  if (tally.ftraceSigns > 0) return { format: "ftrace-text", reason: `${seen}, after an ftrace header` };
  if (tally.padded > tally.unpadded) {
    return { format: "trace-cmd-report", reason: `${seen}, event names padded to a column` };
  }
  return { format: "ftrace-text", reason: seen };
}

function tallyLines(bytes: Uint8Array): Tally {
  const tally: Tally = {
    lines: 0,
    taskPid: 0,
    latency: 0,
    perf: 0,
    babeltrace: 0,
    padded: 0,
    unpadded: 0,
    ftraceSigns: 0,
    traceCmdSigns: 0,
    csvHeader: false,
  };
  const head = new EventHead();
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(0x0a, start);
    const stop = newline < 0 ? bytes.length : newline;
    const end = stop > start && bytes[stop - 1] === 0x0d ? stop - 1 : stop;
    if (end > start) tallyLine(tally, head, bytes, start, end);
    start = stop + 1;
  }
  return tally;
}

function tallyLine(tally: Tally, head: EventHead, bytes: Uint8Array, start: number, end: number): void {
  tally.lines++;
  if (readTaskPidHead(head, bytes, start, end, -1)) {
    tally.taskPid++;
    tallyPadding(tally, bytes, head.body, end);
  } else if (readPerfHead(head, bytes, start, end)) {
    tally.perf++;
  } else if (readLatencyHead(head, bytes, start, end)) {
    tally.latency++;
  } else if (babeltrace.read(head, bytes, start, end)) {
    tally.babeltrace++;
  } else {
    const text = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 400)));
    if (/^(?:cpus=\d+|version = \d+|CPU \d+ is empty)$/.test(text)) tally.traceCmdSigns++;
    else if (/^# (?:tracer:|entries-in-buffer)/.test(text)) tally.ftraceSigns++;
    else if (readCsvHeader(text) !== null) tally.csvHeader = true;
  }
}

/** trace-cmd prints "name:" left-justified to 21 columns, ftrace one blank behind the colon. */
function tallyPadding(tally: Tally, bytes: Uint8Array, at: number, end: number): void {
  for (let i = at; i + 2 < end && i < at + 20; i++) {
    if (bytes[i] !== COLON || bytes[i + 1] !== SPACE) continue;
    if (bytes[i + 2] === SPACE) tally.padded++;
    else tally.unpadded++;
    return;
  }
}

function isHtml(texts: readonly string[]): boolean {
  return /^\s*<(?:!doctype|html)/i.test(texts.find((text) => text.trim() !== "") ?? "");
}

/** Output options of ftrace that take away what replay needs; each message says which option to switch off. */
function refuseVariants(texts: readonly string[], path: string): void {
  if (texts.some((text) => /^#.* latency trace v\d/.test(text))) {
    // "            bash   15018   2 0 00000000 00000000 [4aab2453] 17.739ms (+0.569ms): copy_process: …"
    const verbose = texts.some((text) => / [0-9a-f]{8} [0-9a-f]{8} \[[0-9a-f]+\] +[\d.]+ms /.test(text));
    const option = verbose ? "verbose and latency-format" : "latency-format";
    throw new InputError(
      "ftrace/latency-format",
      `${path} was printed with ftrace's option ${option}, which shortens names and times; switch it off ` +
        "(echo 0 > /sys/kernel/tracing/options/latency-format) and read the buffer again",
    );
  }
  const graph = texts.find((text) => /^# tracer: function_graph/.test(text));
  if (graph !== undefined) {
    throw new InputError(
      "ftrace/function-graph",
      `${path} says ${quote(graph)}: this tracer's output has no task per line; record with current_tracer nop`,
    );
  }
}

/** Nothing matched: say what was found. */
function refuseUnknown(texts: readonly string[], path: string): never {
  const lines = texts.filter((text) => text.trim() !== "");
  const data = lines.filter((text) => !text.startsWith("#"));
  const first = data[0];
  if (first === undefined) {
    throw new InputError("ingest/no-events", `${path} holds a header and no events`);
  }
  const isFtrace = lines.some((text) => text.startsWith("# tracer:"));
  if (isFtrace && /^[A-Za-z_]\w*(?:: |\()/.test(first)) {
    throw new InputError(
      "ftrace/no-context",
      `${path}: first event line ${quote(first)} names no task, CPU and time; switch ftrace's option context-info on ` +
        "(echo 1 > /sys/kernel/tracing/options/context-info) and read the buffer again",
    );
  }
  if (data.some((text) => /^ *\d+\) .*\|/.test(text) || /^ *[\d.]+ \| +\d+\) /.test(text))) {
    throw new InputError(
      "ftrace/function-graph",
      `${path} is output of the function_graph tracer, which has no task per line; record with current_tracer nop`,
    );
  }
  // "java 19983 cycles:"
  if (/^\S.{0,15} +\d+(?:\/\d+)? +(?:\[\d+\] +)?[\w:-]+: *$/.test(first)) {
    throw new InputError(
      "perf/no-time",
      `${path}: first line ${quote(first)} has no time stamp; print it with perf script -F +time,+cpu`,
    );
  }
  throw new InputError(
    "ingest/unknown-format",
    `${path}: first line ${quote(first)} matches no known format; ${EXPECTED}`,
  );
}
