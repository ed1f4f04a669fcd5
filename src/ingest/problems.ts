// Every kind of input defect this room counts, in one place: slugs are stable, docs/formats.md explains them.
import type { ProblemKind, ProblemSource, Severity } from "../base/problem.ts";

function kind(code: string, severity: Severity, source: ProblemSource, meaning: string): ProblemKind {
  return { code, severity, source, meaning };
}

export const LONG_LINE: ProblemKind = kind(
  "ingest/long-line",
  "error",
  "recorder",
  "a line is longer than 1 MiB and was skipped",
);
export const TRUNCATED_LINE: ProblemKind = kind(
  "ingest/truncated-line",
  "info",
  "recorder",
  "the file's last line has no line end: it may be cut short and was not used, even where it reads as whole",
);
export const BINARY_DATA: ProblemKind = kind(
  "ingest/binary-data",
  "error",
  "recorder",
  "a line holds NUL bytes and is no event; it was skipped",
);
export const OUT_OF_RANGE: ProblemKind = kind(
  "ingest/out-of-range",
  "error",
  "recorder",
  "a line's CPU, task or time is beyond what a kernel has (8191, 4194304, 104 days from the first event); it was skipped",
);
export const OUT_OF_ORDER: ProblemKind = kind(
  "ingest/out-of-order",
  "data-loss",
  "recorder",
  "an event is older than events already passed on; it was moved to the time of the newest of them",
);
export const BAD_BODY: ProblemKind = kind(
  "ingest/bad-body",
  "error",
  "recorder",
  "an event forkcast needs has a text it cannot read; the event was skipped",
);
export const NOT_AN_EVENT: ProblemKind = kind(
  "ingest/not-an-event",
  "info",
  "recorder",
  "a line matches nothing the format prints; it was skipped",
);
export const PROBE_UNRECOGNISED: ProblemKind = kind(
  "probe/unrecognised",
  "data-loss",
  "recorder",
  "a probe's function cannot be told; its events were skipped (name it with --probe EVENT=FUNCTION)",
);
export const FTRACE_BAD_HEADER: ProblemKind = kind(
  "ftrace/bad-header",
  "error",
  "recorder",
  "a line does not begin with TASK-PID [CPU] TIMESTAMP: and was skipped",
);
export const FTRACE_BAD_TIME: ProblemKind = kind(
  "ftrace/bad-time",
  "error",
  "recorder",
  "a time stamp has another unit than the rest of the file; the event was skipped",
);
export const FTRACE_LOST: ProblemKind = kind(
  "ftrace/lost-events",
  "data-loss",
  "recorder",
  "the ring buffer lost events while it was read; windows that touch the gap are indeterminate",
);
export const FTRACE_OVERWRITTEN: ProblemKind = kind(
  "ftrace/overwritten",
  "data-loss",
  "recorder",
  "the ring buffer was full and its oldest events were overwritten: the trace begins later than the recording",
);
export const FTRACE_LINE_TOO_BIG: ProblemKind = kind(
  "ftrace/line-too-big",
  "error",
  "recorder",
  "the kernel printed [LINE TOO BIG] in place of an event",
);
export const TRACE_CMD_DROPPED: ProblemKind = kind(
  "trace-cmd/events-dropped",
  "data-loss",
  "recorder",
  "trace-cmd reports dropped events; windows that touch the gap are indeterminate",
);
export const PERF_LOST: ProblemKind = kind(
  "perf/lost",
  "data-loss",
  "recorder",
  "perf reports lost events; windows that touch the gap are indeterminate",
);
export const CSV_BAD_ROW: ProblemKind = kind(
  "csv/bad-row",
  "error",
  "recorder",
  "a CSV row has too few fields or a field that is no number; it was skipped",
);
export const CSV_LOST: ProblemKind = kind(
  "csv/lost-events",
  "data-loss",
  "recorder",
  "bpftrace lost events and does not say on which CPU; windows that touch the gap are indeterminate",
);

/** All problem kinds of this room, in the order docs/formats.md lists them. */
export const INGEST_PROBLEMS: readonly ProblemKind[] = [
  LONG_LINE,
  TRUNCATED_LINE,
  BINARY_DATA,
  OUT_OF_RANGE,
  OUT_OF_ORDER,
  BAD_BODY,
  NOT_AN_EVENT,
  PROBE_UNRECOGNISED,
  FTRACE_BAD_HEADER,
  FTRACE_BAD_TIME,
  FTRACE_LOST,
  FTRACE_OVERWRITTEN,
  FTRACE_LINE_TOO_BIG,
  TRACE_CMD_DROPPED,
  PERF_LOST,
  CSV_BAD_ROW,
  CSV_LOST,
];
