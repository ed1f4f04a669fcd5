// A fork under way, as far as one task has shown it, and the calls that a lock would have held up meanwhile. Filled by
// windows.ts from the events of lower-fork.ts.
import type { Diverted, Exposure } from "./exposures.ts";
import { END_BY, START_BY } from "./forks.ts";
import type { WriteHold } from "./locks.ts";
import type { Serialised } from "./policies/policy.ts";
import type { Run } from "./uses.ts";

/** START_BY and END_BY by name. */
export const START: Record<(typeof START_BY)[number], number> = Object.fromEntries(
  START_BY.map((name, i) => [name, i]),
) as Record<(typeof START_BY)[number], number>;
export const END: Record<(typeof END_BY)[number], number> = Object.fromEntries(
  END_BY.map((name, i) => [name, i]),
) as Record<(typeof END_BY)[number], number>;

/** A call that a design would have made wait: for a fork's window, or for another writer of the mm's mmap_lock. */
export interface Call {
  readonly life: number;
  readonly kind: Serialised;
  readonly tid: number;
  readonly comm: number;
  readonly at: number;
  readonly seq: number;
  readonly line: number;
  /** For a get: were both counts 1, so that the 15 May patch would divert it? */
  readonly diverts: Diverted;
  /** What the caller did until it went to sleep. */
  readonly run: Run;
  /** The write hold on the mm's mmap_lock that the call met, and how many writers waited for it by then. */
  readonly hold: WriteHold | undefined;
  readonly ahead: number;
  /** Write holds under pointers that named no known mm: perhaps this one's. */
  readonly strays: readonly WriteHold[];
}

/** A call inside a fork's window. */
export interface Blocked {
  readonly fork: number;
  readonly call: Call;
  /** It happened before the check that stands (the lock was not held yet): only fork_lock covers it. */
  readonly beforeLock: boolean;
}

/** What one task has shown of a fork under way. */
export interface Attempt {
  readonly task: number;
  readonly tid: number;
  comm: number;
  /** clone flags when recorded, else -1. */
  flags: number;
  life: number;
  newLabel: number;
  row: number;
  /** Check point before the lock: its time, sequence and source. */
  early: number;
  earlySeq: number;
  earlyLine: number;
  earlyBy: number;
  startBy: number;
  /** A hardware sample belongs to the check that stands: later rows of the same function do not replace it. */
  sampled: boolean;
  /** dup_mmap's write lock on the old mm was seen. */
  locked: boolean;
  flushing: boolean;
  open: boolean;
  /** CPU that executes, or last executed, the forker. */
  forkerCpu: number;
  blocked: Call[];
  /** Open exposure by CPU, and all of this window. */
  exposures: (Exposure | undefined)[];
  all: Exposure[];
}
