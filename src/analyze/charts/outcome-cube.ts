// How many forks have each outcome: by trace, bin of time, command and policy. The data of every chart that
// compares policies or follows time.
import type { ResultTables } from "../../table/verdict-tables.ts";
import { OUTCOME_LABELS, OUTCOMES, outcomeOf } from "../outcomes.ts";
import { forkRowById, textAt } from "../rows.ts";
import type { Cells } from "./cells.ts";
import type { Dataset } from "./chart.ts";

/** Name of the data set in specs. */
export const CUBE = "outcomes";

/** One row a non-empty combination: trace, at (middle of the bin), command, policy, outcome, forks. */
export function outcomeCube(tables: ResultTables, cells: Cells, policies: readonly string[]): Dataset {
  const { verdicts } = tables;
  const cellCount = cells.traces.length * cells.bins * cells.commands.length;
  const counts = policies.map(() => new Float64Array(cellCount * OUTCOMES.length));
  const rowOf = forkRowById(tables);
  for (const batch of verdicts.batches(["policy", "decision", "verdict", "fork"])) {
    const policy = batch.column("policy");
    const placeOf = policy.values.map((id) => policies.indexOf(id));
    const decision = batch.column("decision");
    const verdict = batch.column("verdict");
    const fork = batch.column("fork").ints.data;
    for (let i = 0; i < batch.length; i++) {
      const row = rowOf(fork[i]!);
      const of = counts[placeOf[policy.ints.data[i]!]!];
      if (row === undefined || of === undefined) continue;
      const outcome = outcomeOf(
        textAt(decision, decision.ints.data[i]),
        textAt(verdict, verdict.ints.data[i]),
      );
      of[cellOf(cells, row) * OUTCOMES.length + OUTCOMES.indexOf(outcome)]! += 1;
    }
  }
  const rows: number[][] = [];
  for (const [p, of] of counts.entries()) {
    for (const [key, n] of of.entries()) {
      if (n === 0) continue;
      const cell = Math.floor(key / OUTCOMES.length);
      const command = cell % cells.commands.length;
      const bin = Math.floor(cell / cells.commands.length) % cells.bins;
      const trace = Math.floor(cell / cells.commands.length / cells.bins);
      rows.push([trace, cells.at[bin]!, command, p, key % OUTCOMES.length, n]);
    }
  }
  return {
    fields: ["trace", "at", "command", "policy", "outcome", "forks"],
    words: {
      trace: cells.traces,
      command: cells.commands,
      policy: policies,
      outcome: OUTCOMES.map((outcome) => OUTCOME_LABELS[outcome]),
    },
    rows,
  };
}

function cellOf({ trace, bin, command, bins, commands }: Cells, row: number): number {
  return (trace[row]! * bins + bin[row]!) * commands.length + command[row]!;
}
