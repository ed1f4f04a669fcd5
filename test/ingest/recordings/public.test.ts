// Recordings by others, ../shared/traces/public: what is read of them against the counts their index lists, made with
// other tools. None of them is committed; without the folder these tests are skipped.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { TraceMeta } from "../../../src/table/event-batch.ts";
import { EventKind } from "../../../src/table/event-kinds.ts";
import { readRecording } from "../../support/recording-digest.ts";

const PUBLIC = fileURLToPath(new URL("../../../../shared/traces/public/", import.meta.url));

interface Counts {
  readonly kernel?: string;
  readonly cpus?: number;
  readonly switches?: number;
  /** FORK records or sched_process_fork, threads among them, those without a time too. */
  readonly forks?: number;
  readonly exits?: number;
  readonly lost?: number;
}

/** INDEX.md, by file. The two oldest kernels write every EXIT twice. */
const INDEX: Readonly<Record<string, Counts>> = {
  "LinuxTracepoints/perf.data": { kernel: "6.3.0-rc7-microsoft-standard-WSL2+", switches: 285, exits: 1 },
  "LinuxTracepoints/pipe.data": { kernel: "6.3.0-rc7-microsoft-standard-WSL2+" },
  "perf_data_converter/perf.data.forkexit-3.4": { kernel: "3.4.0", cpus: 2, forks: 624, exits: 1250 },
  "perf_data_converter/perf.data.busy.1-3.8": { kernel: "3.8.11", cpus: 4, forks: 866, exits: 1734 },
  "perf_data_converter/perf.data.weight_struct": { cpus: 112, forks: 2955, exits: 59 },
  "perf_data_converter/perf.data.ctx_switch_namespaces-4.14": { cpus: 4, exits: 1 },
  "perf_data_converter/perf.data.intel_pt-4.14": { kernel: "4.14.18", cpus: 4, switches: 152 },
  "perf_data_converter/perf.data.lost_samples-4.4": { kernel: "4.14.18", cpus: 2, lost: 2 },
  "perf_data_converter/perf.data.piped.header_features_aligned-6.12": { cpus: 12 },
  "linux-perf-data/sleep.data": {},
  "linux-perf-data/sleep.compressed.data": {},
  "trappy/trace-870cec7b.dat": { cpus: 8, switches: 826, forks: 1, exits: 1 },
  "lisa/sched_load-trace.dat": { cpus: 6, switches: 399 },
};

const files = Object.keys(INDEX).filter((name) => existsSync(PUBLIC + name));

function countsOf(meta: TraceMeta, problems: readonly string[], wanted: Counts): Counts {
  const rows = (kind: number): number => meta.kinds?.[kind] ?? 0;
  const skipped = (name: string): number => meta.skipped[`PERF_RECORD_${name}`] ?? 0;
  const threads = meta.format === "perf-data" ? rows(EventKind.taskNewtask) : 0;
  const all: Required<Counts> = {
    kernel: meta.kernel,
    cpus: meta.cpus,
    switches: rows(EventKind.schedSwitch) + skipped("SWITCH_CPU_WIDE"),
    forks: rows(EventKind.schedProcessFork) + threads + skipped("FORK"),
    exits: rows(EventKind.schedProcessExit) + skipped("EXIT"),
    lost: Number(/^perf\/lost (\d+)/m.exec(problems.join("\n"))?.[1] ?? 0),
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => name in wanted));
}

describe.skipIf(files.length === 0)("public recordings", () => {
  test.each(files.length > 0 ? files : ["skipped: there is no such folder"])("%s", (name) => {
    const { meta, problems } = readRecording(readFileSync(PUBLIC + name));
    const wanted = INDEX[name] ?? {};
    expect(countsOf(meta, problems, wanted)).toEqual(wanted);
    expect(meta.rows).toBeGreaterThan(0);
  });
});
