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

export const RECORD_UNDESCRIBED: ProblemKind = kind(
  "recording/undescribed-event",
  "data-loss",
  "recorder",
  "records have an event id whose format the recording does not hold; they were skipped",
);
export const RECORD_FORMAT: ProblemKind = kind(
  "recording/bad-format",
  "error",
  "recorder",
  "an event's format text or a record's head cannot be read, or lacks a field forkcast needs; its records were skipped",
);
export const RECORDING_CUT: ProblemKind = kind(
  "recording/cut-short",
  "data-loss",
  "recorder",
  "the recording ends before the data its header announces; everything up to that point was analyzed",
);
export const TRACE_DAT_MISSED: ProblemKind = kind(
  "trace-dat/missed-events",
  "data-loss",
  "recorder",
  "a ring-buffer page says that events were lost in front of it; windows that touch the gap are indeterminate",
);
export const TRACE_DAT_OVERRUN: ProblemKind = kind(
  "trace-dat/overrun",
  "data-loss",
  "recorder",
  "the kernel's statistics of a CPU count events that were overwritten or dropped, and none of its pages says where: they may be missing anywhere, the beginning included",
);
export const TRACE_DAT_DAMAGED: ProblemKind = kind(
  "trace-dat/damaged",
  "data-loss",
  "recorder",
  "a page, chunk or section of the file cannot be read; windows that touch what it held are indeterminate",
);
export const TRACE_DAT_DUPLICATE: ProblemKind = kind(
  "trace-dat/second-instance",
  "info",
  "forkcast",
  "an event is recorded by several trace instances; it is read from the instance that has it first",
);

export const PERF_NO_EVENT: ProblemKind = kind(
  "perf-data/no-event",
  "error",
  "recorder",
  "a sample belongs to no event the file describes, or ends too early; it was skipped",
);
export const PERF_COMPRESSION: ProblemKind = kind(
  "perf-data/damaged-compression",
  "data-loss",
  "recorder",
  "compressed records cannot be decoded; what they and those after them held is lost",
);
export const PERF_OVERFLOW: ProblemKind = kind(
  "perf-data/long-round",
  "data-loss",
  "forkcast",
  "a round of the recording is longer than 64 MiB: records of different CPUs may have been passed on out of order",
);
export const PERF_THROTTLED: ProblemKind = kind(
  "perf-data/throttled",
  "data-loss",
  "recorder",
  "the kernel switched a tracepoint off for a while because it fired too often; windows that touch the gap are indeterminate",
);

export const CTF_DISCARDED: ProblemKind = kind(
  "ctf/discarded-events",
  "data-loss",
  "recorder",
  "LTTng discarded events because its buffers were full; windows that touch the gap are indeterminate",
);

export const CTF_LOST_PACKETS: ProblemKind = kind(
  "ctf/lost-packets",
  "data-loss",
  "recorder",
  "packets of an LTTng stream are missing (their numbers have a gap); windows that touch the gap are indeterminate",
);
export const CTF_DAMAGED: ProblemKind = kind(
  "ctf/damaged-packet",
  "data-loss",
  "recorder",
  "a packet of an LTTng stream cannot be read to its end; what it held is treated as lost",
);

export const PERFETTO_LOST: ProblemKind = kind(
  "perfetto/data-loss",
  "data-loss",
  "recorder",
  "Perfetto's statistics count lost data and do not say when: everything on that CPU (on all of them, where none is named) is treated as recorded after a gap",
);
export const PERFETTO_BAD_EVENT: ProblemKind = kind(
  "perfetto/bad-event",
  "data-loss",
  "recorder",
  "an event's name, time, thread, CPU or arguments are not where its row says; it was skipped, and windows that touch it are indeterminate",
);
export const PERFETTO_BAD_TABLE: ProblemKind = kind(
  "perfetto/bad-table",
  "data-loss",
  "recorder",
  "a table of the export is missing or damaged; what it would have told is unknown",
);
export const PERFETTO_OTHER_MACHINE: ProblemKind = kind(
  "perfetto/other-machine",
  "info",
  "forkcast",
  "the export holds events of several machines; those of the machine with the most were read, the others were skipped",
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
  RECORD_UNDESCRIBED,
  RECORD_FORMAT,
  RECORDING_CUT,
  TRACE_DAT_MISSED,
  TRACE_DAT_OVERRUN,
  TRACE_DAT_DAMAGED,
  TRACE_DAT_DUPLICATE,
  PERF_NO_EVENT,
  PERF_COMPRESSION,
  PERF_OVERFLOW,
  PERF_THROTTLED,
  CTF_DISCARDED,
  CTF_LOST_PACKETS,
  CTF_DAMAGED,
  PERFETTO_LOST,
  PERFETTO_BAD_EVENT,
  PERFETTO_BAD_TABLE,
  PERFETTO_OTHER_MACHINE,
];
