// Every public recording in ../shared/traces/public loads with the counts its index lists, or is refused in one line that
// says why. They may not be committed; without the folder these tests are skipped. Binary files of perf and trace-cmd are
// checked by their own tests.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ingestTrace } from "../../src/cli/ingest-trace.ts";
import type { TraceMeta } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES } from "../../src/table/event-kinds.ts";
import { scratch } from "./run-cli.ts";

const ROOT = fileURLToPath(new URL("../../../shared/traces/public/", import.meta.url));
const out = scratch();

type Counts = Readonly<Record<string, number>>;

/** Path, format and rows by kind. */
const LOADED: readonly (readonly [string, string, Counts])[] = [
  [
    "panopticon/ftrace.txt",
    "ftrace-text",
    { sched_switch: 106, sched_process_fork: 2, sched_process_exec: 2, sched_process_exit: 1 },
  ],
  ["catapult/android_systrace.html", "systrace-html", { sched_switch: 11074 }],
  ["catapult/android_systrace.txt", "ftrace-text", { sched_switch: 58 }],
  ["catapult/atrace_data", "ftrace-text", { sched_switch: 72 }],
  ["catapult/atrace_data_raw", "ftrace-text", { sched_switch: 72 }],
  ["catapult/atrace_data_with_thread_list", "ftrace-text", { sched_switch: 72 }],
  ["catapult/atrace_fixed_tgids", "ftrace-text", { sched_switch: 72 }],
  ["trappy/trace_surfaceflinger.html", "systrace-html", { sched_switch: 715 }],
  ["trappy/trace_not_raw.txt", "trace-cmd-report", { sched_switch: 755 }],
  ["trappy/trace_empty-10f1a9c2.txt", "trace-cmd-report", { sched_switch: 20 }],
  ["trappy/trace_empty-b35ba6fe.txt", "trace-cmd-report", { sched_switch: 20 }],
  ["lisa/trace.txt", "trace-cmd-report", { sched_switch: 1856 }],
  // The index counts 16: the last one ends without a line end and may be cut short.
  ["smartperf_host/ut_bytrace_input_full.txt", "ftrace-text", { sched_switch: 15 }],
  ["smartperf_host/ut_bytrace_input_thread.txt", "ftrace-text", { sched_switch: 15 }],
  [
    "tracecompass-test-traces/many-threads",
    "ctf",
    {
      sched_switch: 28325,
      sched_process_fork: 8003,
      sched_process_exit: 8003,
      sched_process_free: 7639,
      sys_enter_clone: 8003,
      task_state: 581,
    },
  ],
  [
    "tracecompass-test-traces/flipping-endianness",
    "ctf",
    { sched_switch: 2540, sched_process_fork: 8, task_state: 68 },
  ],
  [
    "babeltrace/lttng-modules-2.0.0-ref-trace",
    "ctf",
    { sched_switch: 192, sched_process_fork: 4, sched_process_exit: 4, sched_process_free: 3 },
  ],
  [
    "derived/tracevizlab-103-apt.bt2.txt.gz",
    "babeltrace-text",
    {
      sched_switch: 12549,
      sched_process_fork: 541,
      sched_process_exit: 541,
      sched_process_free: 538,
      sched_process_exec: 62,
      task_state: 417,
    },
  ],
  [
    "derived/tracevizlab-101-simple_kernel.bt2.txt.gz",
    "babeltrace-text",
    { sched_switch: 774, sched_process_fork: 2 },
  ],
  [
    "tracevizlab/103-apt.tar.gz",
    "ctf",
    {
      sched_switch: 12549,
      sched_process_fork: 541,
      sched_process_exit: 541,
      sched_process_free: 538,
      sched_process_exec: 62,
      task_state: 417,
    },
  ],
  ["tracevizlab/101-simple_kernel.tar.gz", "ctf", { sched_switch: 774, sched_process_fork: 2 }],
  // Counted by a script of its own over the pages: 15,056 of 28,922 records.
  ["schedviz/test.tar.gz", "raw-pages", { sched_switch: 15056 }],
  ["derived/many-threads.bt2.txt.gz", "babeltrace-text", { sched_switch: 28325, sched_process_fork: 8003 }],
  [
    "derived/flipping-endianness.bt2.txt.gz",
    "babeltrace-text",
    { sched_switch: 2540, sched_process_fork: 8 },
  ],
  [
    "derived/lttng-modules-2.0.0-ref-trace.bt2.txt.gz",
    "babeltrace-text",
    { sched_switch: 192, sched_process_fork: 4 },
  ],
];

/** Recordings of samples only, or of something else, and what the one line says. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["FlameGraph/perf-cycles-instructions-01.txt", /holds no event forkcast reads; most are instructions 333/],
  ["FlameGraph/perf-dd-stacks-01.txt", /most are cpu-clock 11/],
  ["FlameGraph/perf-funcab-pid-01.txt", /has no time stamp/],
  ["FlameGraph/perf-iperf-stacks-pidtid-01.txt", /most are cpu-clock 201/],
  ["FlameGraph/perf-java-faults-01.txt", /most are page-faults 23/],
  ["FlameGraph/perf-java-stacks-02.txt", /has no time stamp/],
  ["FlameGraph/perf-numa-stacks-01.txt", /most are cpu-clock 200/],
  ["speedscope/forks.linux-perf.txt", /most are cpu-clock 561/],
  ["speedscope/simple-with-header.linux-perf.txt", /most are cpu-clock 136/],
  ["speedscope/simple-with-pid.linux-perf.txt", /most are cpu-clock 137/],
  ["schedviz/ebpf_trace.tar.gz", /is an archive \(26 files in it\) that is no recording of a known format/],
  ["schedviz/raw-cpu0", /holds NUL bytes/],
  ["schedviz/raw-cpu0-32bit", /holds NUL bytes/],
  ["speedscope/system-wide.linux-perf.txt", /most are cpu-clock 556/],
];

async function load(path: string): Promise<TraceMeta> {
  return ingestTrace(join(ROOT, path), { probe: new Map() }, join(out, "events.arrow"));
}

describe.skipIf(!existsSync(ROOT))("../shared/traces/public", () => {
  test.each(LOADED)(
    "%s",
    async (path, format, counts) => {
      const meta = await load(path);
      expect(meta.format).toBe(format);
      const shown = Object.keys(counts).map((name) => [name, meta.kinds?.[EVENT_KIND_NAMES.indexOf(name)]]);
      expect(Object.fromEntries(shown)).toEqual(counts);
    },
    120_000,
  );

  test.each(REFUSED)("%s", async (path, message) => {
    await expect(load(path)).rejects.toThrow(message);
  });
});
