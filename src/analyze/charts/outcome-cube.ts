// How many forks have each outcome: by trace, bin of time, command and policy. The data of every chart that
// compares policies or follows time.
import { type ColumnTable, NULL_I32 } from "../../table/columns.ts";
import type { ResultTables, VERDICT_SPEC } from "../../table/verdict-tables.ts";
import { OUTCOME_LABELS, OUTCOMES, outcomeOf } from "../outcomes.ts";
import { forkRowById } from "../rows.ts";
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
    const ofPolicy = policy.values.map((id) => counts[policies.indexOf(id)]);
    const decision = batch.column("decision").ints.data;
    const verdict = batch.column("verdict").ints.data;
    const width = batch.column("verdict").values.length + 1;
    const outcomes = outcomeTable(batch);
    const fork = batch.column("fork").ints.data;
    for (let i = 0; i < batch.length; i++) {
      const row = rowOf(fork[i]!);
      const of = ofPolicy[policy.ints.data[i]!];
      if (row === undefined || of === undefined) continue;
      const outcome = outcomes[decision[i]! * width + (verdict[i] === NULL_I32 ? 0 : verdict[i]! + 1)]!;
      of[cellOf(cells, row) * OUTCOMES.length + outcome]! += 1;
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
    rows: counts.flatMap((of, p) => rowsOf(of, p, cells)),
  };
}

/** Rows of one policy from its counts by cell and outcome. */
function rowsOf(counts: Float64Array, policy: number, cells: Cells): number[][] {
  const rows: number[][] = [];
  for (const [key, n] of counts.entries()) {
    if (n === 0) continue;
    const cell = Math.floor(key / OUTCOMES.length);
    const command = cell % cells.commands.length;
    const bin = Math.floor(cell / cells.commands.length) % cells.bins;
    const trace = Math.floor(cell / cells.commands.length / cells.bins);
    rows.push([trace, cells.at[bin]!, command, policy, key % OUTCOMES.length, n]);
  }
  return rows;
}

/** Places in OUTCOMES, by decision and verdict (null first). */
function outcomeTable(batch: ColumnTable<typeof VERDICT_SPEC>): number[] {
  const verdicts = [null, ...batch.column("verdict").values];
  return batch
    .column("decision")
    .values.flatMap((decision) => verdicts.map((verdict) => OUTCOMES.indexOf(outcomeOf(decision, verdict))));
}

function cellOf({ trace, bin, command, bins, commands }: Cells, row: number): number {
  return (trace[row]! * bins + bin[row]!) * commands.length + command[row]!;
}
