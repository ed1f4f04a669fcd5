// The selections a reader can make, as parameters of every spec that obeys them: a page (or an editor) sets their
// values, the spec's own transforms do the rest, so that there is one rule for what a selection means.

import type { Cells } from "./cells.ts";
import type { JsonObject } from "./chart.ts";

/** Keeps the rows whose bin's middle lies in [from, to]. */
export const IN_TIME: JsonObject = { filter: "datum.at >= from && datum.at <= to" };
/** Keeps the rows of the chosen command. */
export const OF_COMMAND: JsonObject = { filter: "command === null || datum.command === command" };
/** Keeps the rows of the chosen policy. */
export const OF_POLICY: JsonObject = { filter: "datum.policy === policy" };

/** Parameters `from`, `to` (in the time axis' unit). */
export function timeParams({ span }: Cells): JsonObject[] {
  return [
    { name: "from", value: 0 },
    { name: "to", value: span },
  ];
}

/** Parameter `command`; null is all of them. */
export function commandParam({ commands }: Cells): JsonObject {
  const labels = ["all commands", ...commands];
  return {
    name: "command",
    value: null,
    bind: { input: "select", options: [null, ...commands], labels, name: "command " },
  };
}

/** Parameter `policy`. */
export function policyParam(ids: readonly string[], chosen: string): JsonObject {
  return {
    name: "policy",
    value: chosen,
    bind: { input: "select", options: [...ids], name: "policy " },
  };
}
