// What lowering a trace row needs of the replay: the model, the windows, and what has been seen so far. Implemented by
// Replayer; read by context.ts, gap.ts and lower*.ts.

import type { ProblemLog } from "../base/problem.ts";
import type { EventKind } from "../table/event-kinds.ts";
import type { Attempt } from "./attempt.ts";
import type { GetLog } from "./gets.ts";
import type { Loads } from "./loads.ts";
import type { Locks } from "./locks.ts";
import type { Model } from "./model/model.ts";
import type { Uses } from "./uses.ts";
import type { Windows } from "./windows.ts";

/** An event, and where it stands. */
export interface Place {
  readonly cpu: number;
  readonly seq: number;
  readonly ns: number;
  readonly line: number;
}

export interface Lowering extends Model {
  readonly loads: Loads;
  readonly locks: Locks;
  readonly uses: Uses;
  readonly windows: Windows;
  readonly problems: ProblemLog;
  readonly gets: GetLog;
  /** Events seen per kind (aliases not counted): what is proven armed. */
  readonly seen: Int32Array;
  /** Whose check the next cpu_sample rows belong to. */
  sampleOwner: Attempt | undefined;
  /** sched_process_fork events that carry their clone flags. */
  toldForks: number;
  /** sched_process_fork events by which nobody can tell whether the mm was copied: without clone flags, and no task_newtask. */
  untoldForks: number;
  /** The first borrow that no kthread_use_mm announced: where it is recorded, a call was missed, or a CPU went offline. */
  unannounced: Place | undefined;
  /** The context task's `firm` as it was before the event being applied. */
  firmBefore: number;
  /** Does the recording have events of this kind (as far as is known when it is replayed)? */
  shows(kind: EventKind): boolean;
}
