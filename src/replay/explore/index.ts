// The explorer: every interleaving of a bounded system under one design, over the model and the policies of the replay.
// explore() is its entry; the command line and the tests call it.
import type { Policy } from "../policies/policy.ts";
import type { Bound } from "./bound.ts";
import { Recorder, type StepText } from "./recorder.ts";
import { type Path, search } from "./search.ts";
import { finishFork, take } from "./steps.ts";
import { System } from "./system.ts";

/** States after which a search gives up, unless told otherwise: about 1 GB of memory. */
export const DEFAULT_MAX_STATES = 1_000_000;

/** A schedule in words and as a trace. */
export interface Schedule {
  readonly steps: readonly StepText[];
  /** What the last step leads to. */
  readonly ends: string;
  /** ftrace text. */
  readonly trace: string;
}

export interface Exploration {
  readonly policy: string;
  /** safe: every state of the bound was visited. undecided: `maxStates` came first. */
  readonly outcome: "safe" | "unsafe" | "undecided";
  readonly states: number;
  /** Steps of the longest schedule followed; of the shortest unsafe one when there is one. */
  readonly depth: number;
  /** The shortest schedule to a hazard, when unsafe. */
  readonly unsafe: Schedule | undefined;
  /** The shortest schedule after which the fork cannot go on; found among the states visited. */
  readonly deadlock: Schedule | undefined;
}

/** Explores `policy` within `bound`, to the end, the first hazard, or `maxStates` states. */
export function explore(policy: Policy, bound: Bound, maxStates: number = DEFAULT_MAX_STATES): Exploration {
  const found = search(bound, policy, { maxStates });
  return {
    policy: policy.id,
    outcome: found.unsafe !== undefined ? "unsafe" : found.isComplete ? "safe" : "undecided",
    states: found.states,
    depth: found.depth,
    unsafe: found.unsafe === undefined ? undefined : record(bound, policy, found.unsafe),
    deadlock: found.deadlock === undefined ? undefined : record(bound, policy, found.deadlock),
  };
}

/** Takes a schedule once more, writing it down. */
export function record(bound: Bound, policy: Policy, path: Path): Schedule {
  const system = new System(bound, policy, path.roster);
  const recorder = new Recorder(system, path.roster);
  system.recorder = recorder;
  for (const step of path.steps) take(system, step);
  const steps = [...recorder.steps];
  const ends = endOf(system);
  finishFork(system);
  return { steps, ends, trace: recorder.trace() };
}

function endOf(system: System): string {
  const cpu = system.hazardCpu();
  if (cpu < 0) return "the fork and the reader of mmap_lock wait for each other";
  const actor = system.actors[system.actorOn(cpu)];
  const how = system.world.cpus.active[cpu] === 0 ? "uses the mm" : "holds the mm lazily";
  return `CPU ${cpu}, ${actor?.comm ?? "idle"}, ${how} while it is copied without atomics`;
}
