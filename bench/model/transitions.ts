// The table of transitions: what moves a CPU, a task, an mm and the ledgers of its two counts from one state to the next, by
// which event, with which effect, in which kernel function (semantics.md §2.3, §2.4). docs/model.md is written from here, with
// the number of times the committed recordings take each row; a test holds the replay to these rows: a change of state that
// is no row of the table fails, and so does a row that nothing takes.
import { CPU } from "./cpu-transitions.ts";
import { LEDGER, MM } from "./mm-transitions.ts";
import type { Transition } from "./states.ts";
import { TASK } from "./task-transitions.ts";

export const TRANSITIONS: readonly Transition[] = [
  ...CPU.map((row) => ({ ...row, machine: "cpu" as const })),
  ...TASK.map((row) => ({ ...row, machine: "task" as const })),
  ...MM.map((row) => ({ ...row, machine: "mm" as const })),
  ...LEDGER.map((row) => ({ ...row, machine: "ledger" as const })),
];
