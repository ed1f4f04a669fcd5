// Rows of the two tables that have several a fork, written column by column: an object a row and a bigint an instant took
// two thirds of the time that judging a fork takes. Used by verdicts.ts and near-misses.ts.
import { NsOrigin, NULL_I32, ZERO_NS } from "../table/columns.ts";
import type { TraceMeta } from "../table/event-batch.ts";
import type { DenialCause, Evidence, VerdictTables } from "../table/verdict-tables.ts";
import type { Borrow } from "./uses.ts";

/** Writes `verdicts`; the columns are VERDICT_SPEC's. */
export class VerdictRows {
  readonly #table: VerdictTables["verdicts"];
  readonly #fork;
  readonly #policy;
  readonly #decision;
  readonly #verdict;
  readonly #deniedBy;
  readonly #evidence;
  readonly #rejudged;
  readonly #hidden;

  constructor(table: VerdictTables["verdicts"]) {
    this.#table = table;
    this.#fork = table.column("fork");
    this.#policy = table.column("policy");
    this.#decision = table.column("decision");
    this.#verdict = table.column("verdict");
    this.#deniedBy = table.column("denied_by");
    this.#evidence = table.column("evidence");
    this.#rejudged = table.column("rejudged");
    this.#hidden = table.column("hidden");
  }

  append(
    fork: number,
    policy: string,
    decision: string,
    verdict: string | null,
    deniedBy: readonly DenialCause[],
    evidence: Evidence,
    rejudged: string | null,
    hidden: readonly string[],
  ): void {
    this.#fork.pushInt(fork);
    this.#policy.pushText(policy);
    this.#decision.pushText(decision);
    this.#verdict.pushText(verdict);
    this.#deniedBy.pushTexts(deniedBy);
    this.#evidence.pushText(evidence);
    this.#rejudged.pushText(rejudged);
    this.#hidden.pushTexts(hidden);
    this.#table.length++;
  }
}

/** Writes `near_misses`; the columns are NEAR_MISS_SPEC's. */
export class NearMissRows {
  readonly #table: VerdictTables["near_misses"];
  readonly #comms: readonly string[];
  readonly #epoch: NsOrigin;
  readonly #fork;
  readonly #policy;
  readonly #distance;
  readonly #gap;
  readonly #side;
  readonly #kind;
  readonly #tid;
  readonly #comm;
  readonly #at;
  readonly #line;
  readonly #orderedBy;

  constructor(table: VerdictTables["near_misses"], meta: Pick<TraceMeta, "comms" | "epochNs">) {
    this.#table = table;
    this.#comms = meta.comms;
    this.#epoch = new NsOrigin(meta.epochNs);
    this.#fork = table.column("fork");
    this.#policy = table.column("policy");
    this.#distance = table.column("distance_ns");
    this.#gap = table.column("gap_ns");
    this.#side = table.column("side");
    this.#kind = table.column("kind");
    this.#tid = table.column("tid");
    this.#comm = table.column("comm");
    this.#at = table.column("at_ns");
    this.#line = table.column("line");
    this.#orderedBy = table.column("ordered_by");
  }

  /** `distance` and `gap` in ns, NaN without a borrow. */
  append(
    fork: number,
    policy: string,
    borrow: Borrow | undefined,
    side: string | null,
    distance: number,
    gap: number,
    orderedBy: string | null,
  ): void {
    this.#fork.pushInt(fork);
    this.#policy.pushText(policy);
    this.#distance.pushNs(distance, ZERO_NS);
    this.#gap.pushNs(gap, ZERO_NS);
    this.#side.pushText(side);
    this.#kind.pushText(borrow === undefined ? null : borrow.seenBy);
    this.#tid.pushInt(borrow === undefined ? NULL_I32 : borrow.tid);
    this.#comm.pushText(borrow === undefined ? null : (this.#comms[borrow.comm] ?? ""));
    this.#at.pushNs(borrow === undefined ? Number.NaN : borrow.call, this.#epoch);
    this.#line.pushInt(borrow === undefined ? NULL_I32 : borrow.line);
    this.#orderedBy.pushText(orderedBy);
    this.#table.length++;
  }
}
