// What became of the references that get_task_mm() and mm_access() returned: who took them, from where, and whether a
// kernel thread went on to load the mm (kthread_use_mm) on the strength of one. For the claims about get_task_mm(); no
// verdict reads it. Filled by lower.ts and lower-switch.ts.
import { CALLER_OTHER, CALLER_PROC, CALLER_PROC_MEM_OPEN } from "../table/event-kinds.ts";
import type { GetCounts } from "../table/verdict-tables.ts";
import { TaskKind, type World } from "./model/world.ts";

/** Task names counted one by one. */
const MOST_NAMES = 4096;
/** Of these, the ones told. */
const MOST_TOLD = 8;

export class GetLog {
  #gets = 0;
  #fromProc = 0;
  #fromOther = 0;
  #byKthreads = 0;
  #ledToUse = 0;
  #handedOver = 0;
  #example: { line: number; useLine: number; tid: number; comm: number } | null = null;
  readonly #byComm = new Map<number, number>();
  /** Input line of each task's latest get, by task. */
  readonly #lines: number[] = [];
  /** Life that a task has used since its get, or since it was handed it: counted once. */
  readonly #used = new Map<number, number>();
  readonly #handed = new Map<number, number>();

  /** A reference was returned to `task`; `flags`: CALLER_* of the row. */
  got({ tasks, line }: World, task: number, flags: number): void {
    this.#gets++;
    this.#lines[task] = line;
    this.#used.delete(task);
    const isKthread = tasks.kind[task] === TaskKind.kernel;
    if (isKthread) this.#byKthreads++;
    if ((flags & (CALLER_PROC | CALLER_PROC_MEM_OPEN)) !== 0) this.#fromProc++;
    else if ((flags & CALLER_OTHER) !== 0 || isKthread) this.#fromOther++;
    const comm = tasks.comm[task]!;
    if (this.#byComm.size < MOST_NAMES || this.#byComm.has(comm))
      this.#byComm.set(comm, (this.#byComm.get(comm) ?? 0) + 1);
  }

  /** `task` calls kthread_use_mm() on `life`, or has loaded it without that call being recorded. */
  used({ tasks, mms, line, putsSeen }: World, task: number, life: number): void {
    // Where puts are not recorded, nobody knows which references are still held.
    if (!putsSeen) return;
    if (tasks.gets.get(task)?.includes(life) === true) {
      if (this.#used.get(task) === life) return;
      this.#used.set(task, life);
      this.#ledToUse++;
      this.#example ??= {
        line: this.#lines[task] ?? 0,
        useLine: line,
        tid: tasks.pid[task]!,
        comm: tasks.comm[task]!,
      };
    } else if (mms.gets(life) > 0 && this.#handed.get(task) !== life) {
      this.#handed.set(task, life);
      this.#handedOver++;
    }
  }

  /** Calls `visit` with every life that is remembered. */
  eachLife(visit: (life: number) => void): void {
    for (const life of this.#used.values()) visit(life);
    for (const life of this.#handed.values()) visit(life);
  }

  /** The figures. `comms`: task names by id. `isWhole`: no events were lost. */
  counts(comms: readonly string[], isWhole: boolean): GetCounts {
    const takers = [...this.#byComm].sort(([, a], [, b]) => b - a).slice(0, MOST_TOLD);
    const example = this.#example;
    return {
      gets: this.#gets,
      fromProc: this.#fromProc,
      fromOther: this.#fromOther,
      byKthreads: this.#byKthreads,
      ledToUse: this.#ledToUse,
      handedOver: this.#handedOver,
      isWhole,
      takers: takers.map(([comm, gets]) => ({ comm: comms[comm] ?? "", gets })),
      example:
        example === null
          ? null
          : {
              getLine: example.line,
              useLine: example.useLine,
              tid: example.tid,
              comm: comms[example.comm] ?? "",
            },
    };
  }
}
