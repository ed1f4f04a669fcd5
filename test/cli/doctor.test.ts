// forkcast doctor: what it says of whole recordings, of poorer ones, of bad input.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Diagnosis } from "../../src/analyze/diagnosis.ts";
import { ZstdDecoder } from "../../src/cli/zstd-decoder.ts";
import { hasControls, hostileTrace } from "./hostile-trace.ts";
import { forkcast, recording, scratch } from "./run-cli.ts";

const WHOLE = recording("6.1/W5.trace-cmd.txt.zst");

async function textOf(path: string): Promise<string> {
  const parts: Uint8Array[] = [];
  const decoder = new ZstdDecoder((bytes) => parts.push(bytes.slice()));
  await decoder.push(readFileSync(path));
  await decoder.end();
  return Buffer.concat(parts).toString("latin1");
}

function diagnosisOf(args: readonly string[], input = ""): Diagnosis {
  const { code, stdout, stderr } = forkcast(["doctor", ...args, "--json"], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { schema_version, traces } = JSON.parse(stdout) as { schema_version: number; traces: Diagnosis[] };
  expect(schema_version).toBe(1);
  return traces[0]!;
}

const answers = ({ questions }: Diagnosis): Record<string, string> =>
  Object.fromEntries(questions.map(({ id, answer }) => [id, answer]));

test("a recording with every probe answers every question and needs no recipe", () => {
  const diagnosis = diagnosisOf([WHOLE]);
  expect(Object.values(answers(diagnosis)).every((answer) => answer === "yes")).toBe(true);
  expect(diagnosis.questions.every(({ closes }) => closes.length === 0)).toBe(true);
  expect({ forks: diagnosis.forks, recipe: diagnosis.recipe }).toEqual({ forks: 102, recipe: null });
  expect(diagnosis.windows).toEqual([
    { window: "measured", start_by: "dup_mmap", end_by: "dup_mmap_ret", forks: 102 },
  ]);
  expect(diagnosis.probes.unrecognised).toEqual([]);
  const rows = Object.values(diagnosis.events_by_kind).reduce((sum, n) => sum + n, 0);
  expect(rows).toBeGreaterThanOrEqual(diagnosis.trace.events - 2);
});

test("what a poorer recording lacks is named, with the question it leaves open", async () => {
  const poorer = (await textOf(WHOLE))
    .split("\n")
    .filter(
      (line) =>
        !/ (kthread_(un)?use_mm(_ret)?|switch_mm|get_task_mm(_in)?|gt_fork(_ret)?|dup_mmap):/.test(line),
    )
    .join("\n");
  const diagnosis = diagnosisOf(["-"], poorer);
  const given = answers(diagnosis);
  expect(given["borrowers"]).toBe("no");
  expect(given["waits:fork-lock"]).toBe("no");
  expect(given["waits:get-task-mm"]).toBe("no");
  expect(given["near-misses"]).toBe("no");
  expect(given["mm-users"]).not.toBe("yes");
  const probes = (id: string): string[] =>
    diagnosis.questions.find((question) => question.id === id)!.closes.map(({ probe }) => probe);
  expect(probes("waits:fork-lock")).toEqual(["kthread_use_mm"]);
  expect(probes("waits:get-task-mm")).toEqual(["get_task_mm (its return)"]);
  expect(probes("mm-count")).toEqual(expect.arrayContaining(["switch_mm_irqs_off", "kthread_use_mm"]));
  expect(diagnosis.recipe).toBe("forkcast recipe trace-cmd");

  // The short form stands in the answer of analyze, and only where something is missing.
  const cwd = scratch();
  writeFileSync(join(cwd, "poorer.txt"), poorer);
  const advice = "forkcast doctor TRACE says what this recording can answer;";
  expect(forkcast(["analyze", "poorer.txt"], { cwd }).stdout).toContain(advice);
  expect(forkcast(["analyze", WHOLE], { cwd }).stdout).not.toContain("forkcast doctor");
});

test("a declared probe that stayed silent counts as recorded; lost events take a yes away", () => {
  const line = (us: number, body: string): string => `  sh-7 [000] d..1. 1.0000${us}: ${body}\n`;
  const fork =
    line(10, "uprobe_dup_mmap: (uprobe_dup_mmap+0x0/0x10) oldmm=0xf1 newmm=0xf2 users=1 count=1") +
    line(50, "flush_tlb_mm_range_ret: (dup_mmap+0x0/0x10 <- flush_tlb_mm_range)") +
    line(60, "sched_process_fork: comm=sh pid=7 child_comm=sh child_pid=8");
  const declared =
    `${line(0, "tracing_mark_write: forkcast: armed kthread_use_mm kthread_unuse_mm get_task_mm")}`.replace(
      "1.00000:",
      "1.000001:",
    );
  expect(answers(diagnosisOf(["-"], fork))["borrowers"]).toBe("no");
  const silent = diagnosisOf(["-"], declared + fork);
  expect(answers(silent)["borrowers"]).toBe("yes");
  expect(silent.armed_silent).toEqual(["get_task_mm", "kthread_unuse_mm", "kthread_use_mm"]);
  const lossy = diagnosisOf(
    ["-"],
    `${declared}${fork}CPU:0 [LOST 5 EVENTS]\n${line(90, "sched_process_exit: comm=sh pid=7 prio=120")}`,
  );
  const borrowers = lossy.questions.find(({ id }) => id === "borrowers")!;
  expect(borrowers).toMatchObject({ answer: "partly", why: "kthread_use_mm was probed; 5 events lost" });
});

test("the text keeps below 80 columns and hostile names stay text", () => {
  const cwd = scratch();
  writeFileSync(join(cwd, "h\u001b[31m\u202e.txt"), hostileTrace());
  const { code, stdout, stderr } = forkcast(["doctor", "h\u001b[31m\u202e.txt"], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^h\\x1b\[31m\\u\{202e\}\.txt\nformat {8}ftrace-text\n/);
  expect(stdout).toMatch(/\nrecord the rest: forkcast recipe tracefs > record\.sh\n$/);
  for (const text of stdout.split("\n")) expect(text.length).toBeLessThan(80);
  expect(hasControls(stdout)).toBe(false);
});

test("input that cannot be used ends with one line and 3", () => {
  const { code, stdout, stderr } = forkcast(["doctor", "-"], { input: "hello\n" });
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toMatch(/^error: -: first line "hello" matches no known format; expected .*\n$/);
  expect(stderr).not.toMatch(/\n +at /);
  const none = forkcast(["doctor", "nowhere.txt"]);
  expect(none).toMatchObject({
    code: 3,
    stdout: "",
    stderr: "error: nowhere.txt: no such file or directory\n",
  });
});

test("near misses: what lost events or an unknown end hide makes the answer partial, counted", () => {
  const near = ({ questions }: Diagnosis) => questions.find(({ id }) => id === "near-misses");
  const lossy = near(diagnosisOf([recording("6.1/W12.trace_pipe.txt.zst")]));
  expect(lossy?.answer).toBe("partly");
  expect(lossy?.why).toMatch(/; one came near in 2 pairs of fork and policy; 57 where that cannot be told; /);
  expect(near(diagnosisOf([WHOLE]))?.why).toMatch(/; one came near in 277 pairs of fork and policy$/);
});
