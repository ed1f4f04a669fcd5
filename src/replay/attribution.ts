// A count taken apart: which holders its references are, so that they add up to the count, and what is left over. Read
// by verdicts.ts for the denials table and for the causes of slow decisions.
import type { Counter, DenialCause } from "../table/verdict-tables.ts";
import type { CountValue } from "./counts.ts";
import type { Basis, Holder } from "./holders.ts";

/** References of one holder that the count contains; with `holder` null: what no holder explains. */
export interface Share {
  readonly counter: Counter;
  readonly cause: DenialCause;
  readonly refs: number;
  readonly holder: Holder | null;
}

const ORDER: Readonly<Record<Basis, number>> = { held: 0, moving: 1, possible: 2 };
/** Within one basis: what is likelier to be among the references first. */
const CAUSES: readonly DenialCause[] = [
  "borrower",
  "reader",
  "threads",
  "vfork-child",
  "lazy-tlb",
  "khugepaged",
  "ksm",
  "proc-fd",
  "io-uring",
  "mmu-notifier",
];

/**
 * The `value` - 1 references of one counter besides the forker's own (or, for mm_count, besides the one that all users
 * share). First what certainly was held, oldest first, then what was on its way in or out, then what is merely possible;
 * the rest is `unattributed`. The shares add up to value - 1 always: when more is held than the value has room for, the
 * newest is left out.
 */
export function sharesOf(holders: readonly Holder[], counter: Counter, { value }: CountValue): Share[] {
  let rest = value - 1;
  const out: Share[] = [];
  if (rest <= 0) return out;
  for (const holder of holders.filter((h) => h.counter === counter).sort(byCertainty)) {
    const refs = Math.min(holder.refs, rest);
    if (refs === 0) break;
    out.push({ counter, cause: holder.cause, refs, holder });
    rest -= refs;
  }
  if (rest > 0) out.push({ counter, cause: "unattributed", refs: rest, holder: null });
  return out;
}

function byCertainty(a: Holder, b: Holder): number {
  const basis = ORDER[a.basis] - ORDER[b.basis];
  if (basis !== 0) return basis;
  return a.basis === "held" ? a.seq - b.seq : CAUSES.indexOf(a.cause) - CAUSES.indexOf(b.cause);
}

/** The causes among the shares, each once. */
export function causesOf(shares: readonly Share[]): DenialCause[] {
  return [...new Set(shares.map(({ cause }) => cause))];
}
