// Breadth-first search over the bounded system, shortest schedules first, every class of symmetric states once. Called by
// index.ts; what can happen in a state is steps.ts's.
import { ensure } from "../../base/assert.ts";
import type { Policy } from "../policies/policy.ts";
import { actorsOf, type Bound, rosters } from "./bound.ts";
import { canonicalKey } from "./key.ts";
import { enabledSteps, isDeadlock, type Step, take } from "./steps.ts";
import { System } from "./system.ts";

/** A schedule: which actors exist, and what happens in order. */
export interface Path {
  readonly roster: number;
  readonly steps: readonly Step[];
}

export interface Found {
  /** The shortest schedule that ends in a hazard; undefined when there is none among the states visited. */
  readonly unsafe: Path | undefined;
  /** The shortest one that ends with the fork unable ever to go on. */
  readonly deadlock: Path | undefined;
  /** Every state in the bound was visited; false when the search ended at a hazard or at `maxStates`. */
  readonly isComplete: boolean;
  readonly states: number;
  /** Steps from an initial state to the last state visited. */
  readonly depth: number;
}

interface Node {
  readonly id: number;
  readonly roster: number;
  readonly state: Int32Array;
}

export interface SearchOptions {
  readonly maxStates: number;
  /** Names a class of states that is visited once. */
  readonly keyOf?: (s: System) => string;
}

/** Searches until a hazard, the end of the bound, or `maxStates`. */
export function search(bound: Bound, policy: Policy, options: SearchOptions): Found {
  const all = rosters(bound, actorsOf(bound, policy.holds === "mmap_lock"));
  return new Search(bound, policy, all, options).run();
}

class Search {
  readonly #system: System;
  readonly #options: SearchOptions;
  readonly #keyOf: (s: System) => string;
  readonly #seen = new Set<string>();
  /** By node: where it came from and by which step; a root's parent is -1 and its step the roster. */
  readonly #parent: number[] = [];
  readonly #step: Step[] = [];
  #level: Node[] = [];
  #next: Node[] = [];
  #deadlock: Path | undefined;

  constructor(bound: Bound, policy: Policy, rosterList: readonly number[], options: SearchOptions) {
    this.#options = options;
    this.#keyOf = options.keyOf ?? canonicalKey;
    this.#system = new System(bound, policy, 1);
    for (const roster of rosterList) {
      const initial = new System(bound, policy, roster).capture();
      this.#system.restore(initial);
      this.#visit(-1, roster, roster);
    }
  }

  run(): Found {
    const steps: Step[] = [];
    for (let depth = 0; ; depth++) {
      this.#level = this.#next;
      this.#next = [];
      if (this.#level.length === 0) return this.#found(undefined, true, depth - 1);
      for (const node of this.#level) {
        this.#system.restore(node.state);
        const n = enabledSteps(this.#system, steps);
        for (let i = 0; i < n; i++) {
          if (i > 0) this.#system.restore(node.state);
          take(this.#system, steps[i]!);
          const isHazard = this.#system.hazardCpu() >= 0;
          const id = this.#visit(node.id, steps[i]!, node.roster);
          if (isHazard) return this.#found(this.#pathTo(ensure(id, "the hazard's state")), false, depth + 1);
          if (this.#seen.size >= this.#options.maxStates) return this.#found(undefined, false, depth + 1);
        }
      }
    }
  }

  /** Notes the system's state when it is new; its id. */
  #visit(parent: number, step: Step, roster: number): number | undefined {
    const key = this.#keyOf(this.#system);
    if (this.#seen.has(key)) return undefined;
    this.#seen.add(key);
    const id = this.#parent.length;
    this.#parent.push(parent);
    this.#step.push(step);
    if (this.#deadlock === undefined && isDeadlock(this.#system)) this.#deadlock = this.#pathTo(id);
    if (!this.#system.isDecided) this.#next.push({ id, roster, state: this.#system.capture() });
    return id;
  }

  #pathTo(id: number): Path {
    const steps: Step[] = [];
    let at = id;
    while (this.#parent[at]! >= 0) {
      steps.push(this.#step[at]!);
      at = this.#parent[at]!;
    }
    return { roster: this.#step[at]!, steps: steps.reverse() };
  }

  #found(unsafe: Path | undefined, isComplete: boolean, depth: number): Found {
    return { unsafe, deadlock: this.#deadlock, isComplete, states: this.#seen.size, depth };
  }
}
