// What is known of one fork when its verdicts are made, as policies and tables need it. Made by verdicts.ts, written by rows.ts.
import type { Evidence } from "../table/verdict-tables.ts";
import type { Share } from "./attribution.ts";
import type { CountValue } from "./counts.ts";
import type { Exposure } from "./exposures.ts";
import type { Check } from "./policies/policy.ts";

export interface ForkFacts {
  readonly users: CountValue;
  readonly count: CountValue;
  readonly derivedUsers: CountValue;
  readonly derivedCount: CountValue;
  /** The references of either count besides the first, by holder. */
  readonly shares: { readonly users: readonly Share[]; readonly count: readonly Share[] };
  /** Counts that the replay holds to be larger than they were sampled, one text each. */
  readonly excess: readonly string[];
  readonly check: Check;
  readonly maskEvidence: Evidence;
  readonly exposures: readonly Exposure[];
  readonly window: "measured" | "bracketed" | "point";
}
