// A recording that lists the events that were on proves of a silent one that it never fired. Of the seeds' events replay has a use
// for sched_switch, task_newtask and a probe on mmput; another probe has no record.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { EVENT_KIND_NAMES } from "../../../src/table/event-kinds.ts";
import { ingestFiles, run, type Trace } from "../../replay/recordings.ts";
import { memoryFile } from "../../support/dump-recording.ts";
import { perfDataWith, silentFormat, traceDatWith } from "../../support/recording-seeds.ts";
import { bytesOf } from "./outside.ts";

const SHARED = fileURLToPath(new URL("../../../../shared/traces/", import.meta.url));
const SILENT = silentFormat("kprobes", "khugepaged_enter", 1500);
const CORE = ["signal", "timer", "workqueue"].map((system, i) => silentFormat(system, `${system}_x`, 20 + i));
// What trace_marker writes: described in every file, and no probe.
const MARKER = {
  ...silentFormat("ftrace", "print", 5),
  fields: [{ declaration: "char buf[]", name: "buf", size: 0, signed: true }],
};

function armedIn(trace: Trace): string[] {
  return trace.batches
    .flatMap((batch) =>
      [...batch.argComm.subarray(0, batch.length)].filter((_, i) => isArmed(batch.kind[i]!)),
    )
    .map((id) => trace.meta.comms[id] ?? "")
    .sort();
}

function isArmed(kind: number): boolean {
  return EVENT_KIND_NAMES[kind] === "armed";
}

function read(bytes: Uint8Array): Trace {
  return ingestFiles([memoryFile("t", bytes)], "t");
}

describe("trace.dat", () => {
  test("the formats of the events that were asked for", () => {
    const trace = read(traceDatWith([SILENT, MARKER]));
    expect(armedIn(trace)).toEqual(["__khugepaged_enter", "mmput", "sched_switch", "task_newtask"]);
    expect(trace.meta.probes).toContainEqual({
      event: "khugepaged_enter",
      func: "__khugepaged_enter",
      by: "name",
      count: 0,
    });
  });

  test("those of every event the kernel has, as trace-cmd extract writes them, prove nothing", () => {
    expect(armedIn(read(traceDatWith([SILENT, ...CORE])))).toEqual([]);
    expect(armedIn(read(traceDatWith([SILENT, ...CORE.slice(1)])))).toHaveLength(4);
  });
});

describe("perf.data", () => {
  test("the attributes, once the idle task has a sample: then every task is recorded", () => {
    expect(armedIn(read(perfDataWith([SILENT], true)))).toEqual([
      "__khugepaged_enter",
      "mmput",
      "sched_switch",
      "task_newtask",
    ]);
  });

  test("a recording of some tasks proves nothing", () => {
    expect(armedIn(read(perfDataWith([SILENT], false)))).toEqual([]);
  });
});

// 6.12 without transparent huge pages in use: __khugepaged_enter is armed and silent.
describe.skipIf(!existsSync(SHARED))("mm_count of lab612, whose samples are hidden from the replay", () => {
  test.each([
    ["W1", "perf.data.zst", 77],
    ["W6", "perf.data.zst", 262],
    ["W1", "trace-cmd.v7.dat", 98],
  ])("%s, %s", { timeout: 60_000 }, async (workload, file, known) => {
    const { forks } = await run(read(await bytesOf(`${SHARED}lab612/${workload}/${file}`)), { blind: true });
    const derived = forks.filter((fork) => fork.derived_count_evidence === "derived");
    expect(derived.length).toBeGreaterThanOrEqual(known);
    expect(derived.filter((fork) => fork.derived_count !== fork.sampled_count)).toEqual([]);
  });
});
