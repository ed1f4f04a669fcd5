// Defects of the input are data: every one is counted by kind, the first is kept with its place.
// Filled by ingest and replay, written to tables/problems.arrow and summary.json.

export const SEVERITIES = ["info", "data-loss", "error"] as const;
/** info: nothing lost for the verdicts; data-loss: part of the trace is missing; error: a line could not be used. */
export type Severity = (typeof SEVERITIES)[number];

export const PROBLEM_SOURCES = ["recorder", "forkcast"] as const;
/** recorder: the recording has the defect (record again); forkcast: a limit of ours (file a bug). */
export type ProblemSource = (typeof PROBLEM_SOURCES)[number];

/** What is known of one problem code; the texts live in `problems.ts` of the stage that raises it. */
export interface ProblemKind {
  readonly code: string;
  readonly severity: Severity;
  readonly source: ProblemSource;
  /** One sentence for the user: what it means for the result. */
  readonly meaning: string;
}

/** All occurrences of one problem code in one trace. */
export interface Problem {
  readonly kind: ProblemKind;
  count: number;
  /** 1-based input line of the first occurrence; 0 when it has no line. */
  readonly firstLine: number;
  /** The first offending text, cut at 80 characters; input text, so escape it on output. */
  readonly sample: string;
}

/** Counts problems by code and sample-key. One per trace. */
export class ProblemLog {
  readonly #byKey = new Map<string, Problem>();

  /** Adds `count` occurrences of `kind`. `key` separates rows of one code (a probe's name, say). */
  add(kind: ProblemKind, line: number, sample: string, count = 1, key = ""): void {
    const id = key === "" ? kind.code : `${kind.code}\0${key}`;
    const seen = this.#byKey.get(id);
    if (seen !== undefined) {
      seen.count += count;
      return;
    }
    const cut = sample.length > 80 ? `${sample.slice(0, 77)}...` : sample;
    this.#byKey.set(id, { kind, count, firstLine: line, sample: cut });
  }

  /** Occurrences of a code so far, over all keys. */
  count(code: string): number {
    let n = 0;
    for (const p of this.#byKey.values()) if (p.kind.code === code) n += p.count;
    return n;
  }

  /** The problems in the order they were first seen. */
  list(): readonly Problem[] {
    return [...this.#byKey.values()];
  }
}
