// What the replay makes of the events only LTTng has: sched_process_fork without task_newtask, and the start state of the
// statedump. Traces are babeltrace text of a few lines, times in microseconds after second 1.
import { expect, test } from "vitest";
import { outcomeText } from "./outcome.ts";
import { ingest, run } from "./recordings.ts";

expect.addSnapshotSerializer({ test: (value) => typeof value === "string", serialize: (value) => value });

/** "10 0 name key = value, …" a line: time in us, CPU, event, fields. */
async function outcomeOf(...events: string[]): Promise<string> {
  const lines = [...events, EXIT].map((event) => {
    const [us = "", cpu = "", name = "", ...fields] = event.split(" ");
    return `[1.${us.padStart(6, "0")}000] (+0.000001000) host ${name}: { cpu_id = ${cpu} }, { ${fields.join(" ")} }\n`;
  });
  // What is recorded at all is shown by an exit of somebody else and by the second CPU's name.
  const bytes = new TextEncoder().encode(lines.join(""));
  return outcomeText(await run(ingest(bytes, "lttng"), { kernel: "6.1", assume: [] }));
}

const EXIT = '90 1 sched_process_exit comm = "a", tid = 99, prio = 20';
const SWITCH_TO_7 =
  '1 0 sched_switch prev_comm = "swapper/0", prev_tid = 0, prev_prio = 20, prev_state = 0, next_comm = "a", next_tid = 7, next_prio = 20';
const CLONE = "10 0 syscall_entry_clone clone_flags = 0x1200011, newsp = 0x0";
const FORK =
  '20 0 sched_process_fork parent_comm = "a", parent_tid = 7, parent_pid = 7, child_comm = "a", child_tid = 8, child_pid = 8';
const state = (us: number, tid: number, pid: number, type: number, ppid = 1): string =>
  `${us} 1 lttng_statedump_process_state tid = ${tid}, pid = ${pid}, ppid = ${ppid}, name = "a", type = ${type}, status = 5`;

test("without a statedump a parent older than the trace has an unknown number of users", async () => {
  expect(await outcomeOf(SWITCH_TO_7, CLONE, FORK)).toMatchInlineSnapshot(`
    fork 7 [10,20) sys_enter_clone..sched_process_fork child 8 bracketed
      users 1 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown khugepaged-not-proven no-mmput
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("threads of the statedump deny the policies that ask for one user", async () => {
  expect(
    await outcomeOf(SWITCH_TO_7, state(2, 7, 7, 0), state(3, 9, 7, 0), CLONE, FORK),
  ).toMatchInlineSnapshot(`
    fork 7 [10,20) sys_enter_clone..sched_process_fork child 8 bracketed
      users 2 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown khugepaged-not-proven no-mmput
      indeterminate: mm-count-only cpumask
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("a statedump after the fork tells of the same threads", async () => {
  expect(
    await outcomeOf(SWITCH_TO_7, CLONE, FORK, state(30, 7, 7, 0), state(31, 9, 7, 0)),
  ).toMatchInlineSnapshot(`
    fork 7 [10,20) sys_enter_clone..sched_process_fork child 8 bracketed
      users 2 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown khugepaged-not-proven no-mmput
      indeterminate: mm-count-only cpumask
      slow threads: counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock
  `);
});

test("a thread group the statedump shows without its leader's mm proves nothing", async () => {
  const alone = await outcomeOf(SWITCH_TO_7, CLONE, FORK);
  expect(await outcomeOf(SWITCH_TO_7, state(2, 7, 7, 1), state(3, 9, 7, 0), CLONE, FORK)).toBe(alone);
  expect(await outcomeOf(SWITCH_TO_7, state(2, 7, 7, 0), state(3, 9, 9, 0), CLONE, FORK)).toBe(alone);
});

test("a thread's fork event opens no window, whatever is known of its flags", async () => {
  const thread = FORK.replace("child_pid = 8", "child_pid = 7");
  expect(await outcomeOf(SWITCH_TO_7, thread)).toBe("");
  expect(await outcomeOf(SWITCH_TO_7, CLONE.replace("1200011", "3d0f00"), thread)).toBe("");
});

test("vfork copies no mm", async () => {
  expect(await outcomeOf(SWITCH_TO_7, "10 0 syscall_entry_vfork", FORK)).toBe("");
});

test("clone3 hides its flags: the child may share the mm", async () => {
  expect(
    await outcomeOf(SWITCH_TO_7, "10 0 syscall_entry_clone3 uargs = 140, size = 88", FORK),
  ).toMatchInlineSnapshot(`
    fork 7 [20,20) none..sched_process_fork child 8 point
      users 1 at-least, count 1 at-least, exposure U7, lazy ?
      doubts: predates-trace cpu-unknown khugepaged-not-proven no-mmput no-task_newtask clone-flags-unknown
      indeterminate: mm-count-only counts-unlocked users-only get-task-mm fork-lock mmap-lock users-mmap-lock cpumask
  `);
});

test("kthreadd's children copy no mm", async () => {
  expect(
    await outcomeOf(
      '20 0 sched_process_fork parent_comm = "kthreadd", parent_tid = 2, parent_pid = 2, child_comm = "kthreadd", child_tid = 8, child_pid = 8',
    ),
  ).toBe("");
});

test("a pid used again in the trace is another fork", async () => {
  const again = [CLONE.replace("10 ", "40 "), FORK.replace("20 ", "50 ")];
  const exit = '30 0 sched_process_exit comm = "a", tid = 8, prio = 20';
  const outcome = await outcomeOf(SWITCH_TO_7, CLONE, FORK, exit, ...again);
  expect(outcome.match(/^fork 7 /gm)).toHaveLength(2);
});
