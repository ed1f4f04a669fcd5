// What compare does: both results read back, summarized, compared.
import { compare } from "../analyze/compare.ts";
import { renderComparison } from "../analyze/compare-text.ts";
import { readResults, summaryOf } from "./results.ts";

/** The command's text: lines for people, or one JSON document. */
export function compareDirs(a: string, b: string, json: boolean): string {
  const inA = summaryOf(readResults(a));
  const inB = summaryOf(readResults(b));
  const comparison = compare(a, inA, b, inB);
  return json ? `${JSON.stringify(comparison, null, 2)}\n` : renderComparison(comparison, inA, inB);
}
