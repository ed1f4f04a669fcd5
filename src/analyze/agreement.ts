// The self-check: where the trace samples mm_users, mm_count or the loaded mm, compare the replay's own derivation
// with the sample. Read by summary.ts; shown by every output.
import type { CrLoads, ReplayInfo, ResultTables } from "../table/verdict-tables.ts";
import { eachRow } from "./rows.ts";

export interface CountAgreement {
  /** Forks with a sampled count and a derived one: the derivation claims to be right there. */
  readonly compared: number;
  readonly equal: number;
  /** Forks with a sampled count. */
  readonly samples: number;
  /** Of samples: how many the derivation gave an exact value for. */
  readonly given: number;
  /** Lower bounds above the sampled value: each one is a bug of ours. */
  readonly at_least_above_truth: number;
}

export interface Agreement {
  readonly mm_users: CountAgreement;
  readonly mm_count: CountAgreement;
  /** CPUs of hardware samples compared with the replay's loaded mm. */
  readonly loaded_mm: { readonly compared: number; readonly equal: number };
  /** Loads of CR3 compared with tlb_flush reason 0, over all traces that record it. */
  readonly cr3_loads: CrLoads;
}

/** Compares derived_* with sampled_*, fork by fork; also when --blind kept the samples from the decisions. */
export function agreement(tables: ResultTables, infos: readonly ReplayInfo[]): Agreement {
  return {
    mm_users: countAgreement(tables, "sampled_users", "derived_users", "derived_users_evidence"),
    mm_count: countAgreement(tables, "sampled_count", "derived_count", "derived_count_evidence"),
    loaded_mm: { compared: sum(tables, "loaded_compared"), equal: sum(tables, "loaded_equal") },
    cr3_loads: {
      compared: crLoads(infos, "compared"),
      equal: crLoads(infos, "equal"),
      events: crLoads(infos, "events"),
      unexplained: crLoads(infos, "unexplained"),
      exiting: crLoads(infos, "exiting"),
      borrowing: crLoads(infos, "borrowing"),
    },
  };
}

function countAgreement(
  { forks }: ResultTables,
  sampled: "sampled_users" | "sampled_count",
  derived: "derived_users" | "derived_count",
  derivedEvidence: "derived_users_evidence" | "derived_count_evidence",
): CountAgreement {
  let samples = 0;
  let given = 0;
  let equal = 0;
  let above = 0;
  eachRow(forks, [sampled, derived, derivedEvidence], (batch, row) => {
    const truth = batch.get(sampled, row);
    if (truth === null) return;
    samples++;
    const own = batch.get(derived, row);
    const word = batch.get(derivedEvidence, row);
    if (own === null) return;
    if (word === "derived") {
      given++;
      if (own === truth) equal++;
    } else if (word === "at-least" && own > truth) {
      above++;
    }
  });
  return { compared: given, equal, samples, given, at_least_above_truth: above };
}

function sum({ forks }: ResultTables, name: "loaded_compared" | "loaded_equal"): number {
  let total = 0;
  eachRow(forks, [name], (batch, row) => {
    total += batch.get(name, row) ?? 0;
  });
  return total;
}

function crLoads(infos: readonly ReplayInfo[], name: keyof CrLoads): number {
  return infos.reduce((total, { crLoads: loads }) => total + (loads?.[name] ?? 0), 0);
}
