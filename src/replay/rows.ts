// The rows that are written for every fork: its own, its verdicts and near misses, exposures and denials. What they say is
// verdicts.ts's and near-misses.ts's; here it becomes cells.
import { NsOrigin, NULL_I32, RowCells, ZERO_NS } from "../table/columns.ts";
import type { TraceMeta } from "../table/event-batch.ts";
import type { DenialCause, Evidence, VerdictTables } from "../table/verdict-tables.ts";
import { EXPOSURE_CLASSES } from "../table/verdict-tables.ts";
import type { Share } from "./attribution.ts";
import type { BorrowLog } from "./borrow-log.ts";
import { type Armed, doubts } from "./counts.ts";
import type { Exposure } from "./exposures.ts";
import type { ForkFacts } from "./facts.ts";
import { END_BY, NO_SAMPLE, START_BY } from "./forks.ts";
import { hiddenBehind, hiddenCount, hiddenUsers } from "./hidden.ts";
import type { NearMiss } from "./near-misses.ts";
import type { Replayer } from "./replay.ts";

/** Writes the rows of one trace's forks. */
export class ForkRows {
  readonly #meta: Pick<TraceMeta, "comms" | "pointers">;
  readonly #epoch: NsOrigin;
  readonly #forks;
  readonly #verdicts;
  readonly #nearMisses;
  readonly #exposures;
  readonly #denials;

  constructor(into: VerdictTables, meta: Pick<TraceMeta, "comms" | "pointers" | "epochNs">) {
    this.#meta = meta;
    this.#epoch = new NsOrigin(meta.epochNs);
    this.#forks = new RowCells(into.forks);
    this.#verdicts = new RowCells(into.verdicts);
    this.#nearMisses = new RowCells(into.near_misses);
    this.#exposures = new RowCells(into.exposures);
    this.#denials = new RowCells(into.denials);
  }

  /** `exposure` and `exposedNs` as the columns say; `blind`: samples are hidden. */
  fork(
    { world, forks }: Replayer,
    row: number,
    id: number,
    facts: ForkFacts,
    exposure: string,
    exposedNs: number,
    options: { readonly traceIndex: number; readonly blind: boolean; readonly armed: Armed },
  ): void {
    const cells = this.#forks;
    const life = forks.life.at(row);
    const label = world.mms.label[life]!;
    const { armed } = options;
    const isSampled = forks.cpuSampled.at(row) === 1 && !options.blind;
    cells.int("fork", id);
    cells.int("trace", options.traceIndex);
    cells.ns("start_ns", forks.start.at(row), this.#epoch);
    cells.ns("end_ns", forks.end.at(row), this.#epoch);
    cells.text("window", facts.window);
    cells.int("cpu", forks.cpu.at(row));
    cells.int("tid", forks.tid.at(row));
    cells.text("comm", this.#comm(forks.comm.at(row)));
    cells.text("mm", label >= 0 ? this.#meta.pointers[label]! : `lineage:${world.mms.serial[life]}`);
    cells.int("child_tid", orNull(forks.child.at(row)));
    cells.int("mm_users", facts.users.value);
    cells.text("mm_users_evidence", facts.users.evidence);
    cells.int("mm_count", facts.count.value);
    cells.text("mm_count_evidence", facts.count.evidence);
    cells.ns("exposed_ns", exposedNs, ZERO_NS);
    cells.text("exposure", exposure);
    cells.int("lazy_cpus", isSampled ? forks.sampledLazy.at(row) : orNull(forks.lazyCpus.at(row)));
    cells.int("line", forks.line.at(row));
    cells.int("end_line", Number.isNaN(forks.end.at(row)) ? NULL_I32 : forks.endLine.at(row));
    cells.ns("early_ns", forks.early.at(row), this.#epoch);
    cells.text("start_by", START_BY[forks.startBy.at(row)]!);
    cells.text("end_by", END_BY[forks.endBy.at(row)]!);
    cells.int("derived_users", facts.derivedUsers.value);
    cells.text("derived_users_evidence", facts.derivedUsers.evidence);
    cells.int("derived_count", facts.derivedCount.value);
    cells.text("derived_count_evidence", facts.derivedCount.evidence);
    cells.int("loaded_compared", orNull(forks.loadedCompared.at(row)));
    cells.int("loaded_equal", orNull(forks.loadedEqual.at(row)));
    cells.int("sampled_users", sampled(forks.sampledUsers.at(row)));
    cells.int("sampled_count", sampled(forks.sampledCount.at(row)));
    const open = doubts(world, forks, row, armed, facts.derivedUsers, facts.derivedCount);
    if (facts.excess.length > 0) open.push("derived-above-sample");
    cells.texts("doubts", open);
    cells.texts(
      "mm_users_hidden",
      hiddenBehind(facts.users, () => hiddenUsers(world, forks, row, armed)),
    );
    cells.texts(
      "mm_count_hidden",
      hiddenBehind(facts.count, () => hiddenCount(world, forks, row, armed)),
    );
    cells.end();
  }

  verdict(
    id: number,
    policy: string,
    decision: string,
    verdict: string | null,
    deniedBy: readonly DenialCause[],
    evidence: Evidence,
    rejudged: string | null,
    hidden: readonly string[],
  ): void {
    const cells = this.#verdicts;
    cells.int("fork", id);
    cells.text("policy", policy);
    cells.text("decision", decision);
    cells.text("verdict", verdict);
    cells.texts("denied_by", deniedBy);
    cells.text("evidence", evidence);
    cells.text("rejudged", rejudged);
    cells.texts("hidden", hidden);
    cells.end();
  }

  /** `distance` and `gap` in ns, NaN without a borrow. */
  nearMiss(id: number, policy: string, { found, orderedBy }: NearMiss, borrows: BorrowLog): void {
    const cells = this.#nearMisses;
    const borrow = found?.borrow;
    const isCallSeen = borrow !== undefined && borrows.isCallSeen.at(borrow) === 1;
    cells.int("fork", id);
    cells.text("policy", policy);
    cells.ns("distance_ns", found?.distance ?? Number.NaN, ZERO_NS);
    cells.ns("gap_ns", found?.gap ?? Number.NaN, ZERO_NS);
    cells.text("side", found?.side ?? null);
    cells.text("kind", borrow === undefined ? null : isCallSeen ? "kthread_use_mm" : "switch_mm_irqs_off");
    cells.int("tid", borrow === undefined ? NULL_I32 : borrows.tid.at(borrow));
    cells.text("comm", borrow === undefined ? null : this.#comm(borrows.comm.at(borrow)));
    cells.ns("at_ns", borrow === undefined ? Number.NaN : borrows.call.at(borrow), this.#epoch);
    cells.int("line", borrow === undefined ? NULL_I32 : borrows.line.at(borrow));
    cells.text("ordered_by", orderedBy ?? null);
    cells.end();
  }

  exposure(id: number, e: Exposure): void {
    const cells = this.#exposures;
    cells.int("fork", id);
    cells.text("class", EXPOSURE_CLASSES[e.class]!);
    cells.int("cpu", e.cpu);
    cells.int("tid", e.tid);
    cells.text("comm", e.tid === 0 ? `swapper/${e.cpu}` : this.#comm(e.comm));
    cells.ns("start_ns", e.start, this.#epoch);
    cells.ns("end_ns", e.end, this.#epoch);
    cells.int("line", e.line);
    cells.end();
  }

  /** Who holds each reference of the counts the decisions used. */
  denials(id: number, { shares, users, count }: ForkFacts): void {
    for (const share of shares.users) this.#denial(id, share, users.evidence);
    for (const share of shares.count) this.#denial(id, share, count.evidence);
  }

  #denial(id: number, { counter, cause, refs, holder }: Share, evidence: Evidence): void {
    const cells = this.#denials;
    const isNamed = holder !== null && holder.tid >= 0;
    cells.int("fork", id);
    cells.text("counter", counter);
    cells.text("cause", cause);
    cells.int("refs", refs);
    cells.text("basis", holder === null ? null : holder.basis);
    cells.text("evidence", evidence);
    cells.int("cpu", holder === null ? NULL_I32 : orNull(holder.cpu));
    cells.int("tid", isNamed ? holder.tid : NULL_I32);
    cells.text("comm", isNamed ? this.#comm(holder.comm) : null);
    cells.text("left_by", holder === null ? null : holder.leftBy);
    cells.ns("since_ns", holder === null ? Number.NaN : holder.ns, this.#epoch);
    cells.int("line", holder === null || holder.line === 0 ? NULL_I32 : holder.line);
    cells.end();
  }

  #comm(id: number): string {
    return this.#meta.comms[id] ?? "";
  }
}

/** -1 stands for what is not known. */
function orNull(value: number): number {
  return value >= 0 ? value : NULL_I32;
}

function sampled(value: number): number {
  return value === NO_SAMPLE ? NULL_I32 : value;
}
