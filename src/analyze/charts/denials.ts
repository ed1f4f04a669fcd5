// Chart: who denies the fast path, and whether that cause alone does: a fork denied by one cause would be fast
// without it, one denied by several would not.
import type { VerdictTables } from "../../table/verdict-tables.ts";
import { DENIAL_CAUSES } from "../../table/verdict-tables.ts";
import { referencePolicy } from "../policy-summary.ts";
import { forkRowById, textAt } from "../rows.ts";
import { groupDigits, percent, plural } from "../statistics.ts";
import type { Summary } from "../summary.ts";
import type { Cells } from "./cells.ts";
import { type Chart, type ChartTable, type Dataset, nothingToDraw, PALETTE, specOf } from "./chart.ts";
import { rowView } from "./row-view.ts";
import { commandParam, IN_TIME, OF_COMMAND, OF_POLICY, policyParam, timeParams } from "./selections.ts";

const ID = "denials";
const TITLE = "Who denies the fast path?";
const DATA = "denials";
const ALONE = "the only cause";
const SHARED = "with other causes";
const CAUSES: readonly string[] = DENIAL_CAUSES;
/** Combinations listed in the table; the rest are one row. */
const MOST_SETS = 20;

interface Counted {
  readonly dataset: Dataset;
  /** By policy: slow forks by their combination of causes. */
  readonly sets: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Slow forks by cause. */
export function denialsChart(summary: Summary, tables: VerdictTables, cells: Cells): Chart {
  const { policies } = summary;
  const denying = Object.keys(policies).filter((id) => Object.keys(policies[id]!.denied_by).length > 0);
  const reference = referencePolicy(policies);
  const first = denying.find((id) => id === reference) ?? denying[0];
  if (first === undefined) return nothingToDraw(ID, TITLE, "No decision names a cause of denial.");
  const { dataset, sets } = countDenials(tables, cells, denying);
  const causes = DENIAL_CAUSES.filter((cause) => denying.some((id) => cause in policies[id]!.denied_by));
  const order = [...causes].sort(
    (a, b) => (policies[first]!.denied_by[b] ?? 0) - (policies[first]!.denied_by[a] ?? 0),
  );
  const kinds = [ALONE, SHARED];
  const view = rowView({
    data: DATA,
    field: "cause",
    names: order,
    transform: [
      IN_TIME,
      OF_COMMAND,
      OF_POLICY,
      // Rows without a cause count each slow fork once: what the shares are of.
      { calculate: "datum.cause === null ? datum.forks : 0", as: "slowForks" },
      { joinaggregate: [{ op: "sum", field: "slowForks", as: "slow" }] },
      { filter: "datum.cause !== null" },
    ],
    bar: {
      transform: [
        { aggregate: [{ op: "sum", field: "forks", as: "forks" }], groupby: ["cause", "kind", "slow"] },
      ],
      mark: { stroke: "currentColor", strokeWidth: 0.5 },
      encoding: {
        x: {
          field: "forks",
          type: "quantitative",
          title: "slow forks",
          axis: { tickMinStep: 1, tickCount: 5, format: "~s" },
          stack: "zero",
        },
        color: {
          field: "kind",
          type: "nominal",
          scale: { domain: kinds, range: [PALETTE.orange, PALETTE.sky] },
          legend: { title: null, orient: "top" },
        },
        order: { field: "kind", sort: "ascending" },
        tooltip: [
          { field: "cause" },
          { field: "kind", title: "is" },
          { field: "forks", format: "," },
          { field: "slow", format: ",", title: "of slow forks" },
        ],
      },
    },
    label: [
      { calculate: `datum.kind === ${JSON.stringify(ALONE)} ? datum.forks : 0`, as: "alone" },
      {
        aggregate: ["forks", "alone"].map((field) => ({ op: "sum", field, as: field })),
        groupby: ["cause", "slow"],
      },
      { calculate: "datum.cause", as: "left" },
      {
        calculate:
          "format(datum.forks, ',') + ' of ' + format(datum.slow, ',') + ' slow, ' + format(datum.alone, ',') + ' alone'",
        as: "right",
      },
    ],
  });
  return {
    id: ID,
    title: TITLE,
    description: describe(summary, first, sets.get(first)),
    spec: specOf([...timeParams(cells), commandParam(cells), policyParam(denying, first)], view),
    datasets: { [DATA]: dataset },
    obeys: ["time", "policy", "command"],
    table: tableOf(summary, sets),
  };
}

function countDenials(tables: VerdictTables, cells: Cells, policies: readonly string[]): Counted {
  const { verdicts } = tables;
  const policy = verdicts.column("policy");
  const decision = verdicts.column("decision");
  const fork = verdicts.column("fork").ints.data;
  const rowOf = forkRowById(tables);
  const tally = new Tally(cells);
  const sets = new Map<string, Map<string, number>>(policies.map((id) => [id, new Map()]));
  for (let i = 0; i < verdicts.length; i++) {
    if (textAt(decision, decision.ints.data[i]) !== "slow") continue;
    const id = textAt(policy, policy.ints.data[i]) ?? "";
    const row = rowOf(fork[i]!);
    const ofPolicy = sets.get(id);
    if (ofPolicy === undefined || row === undefined) continue;
    const causes = verdicts.get("denied_by", i);
    const p = policies.indexOf(id);
    tally.add(row, p, -1, 0);
    for (const cause of causes) tally.add(row, p, CAUSES.indexOf(cause), causes.length === 1 ? 0 : 1);
    const set = [...causes].sort().join(" + ") || "none named";
    ofPolicy.set(set, (ofPolicy.get(set) ?? 0) + 1);
  }
  const words = { command: cells.commands, policy: policies, cause: CAUSES, kind: [ALONE, SHARED] };
  return {
    dataset: { fields: ["at", "command", "policy", "cause", "kind", "forks"], words, rows: tally.rows() },
    sets,
  };
}

/** Slow forks by cell, policy, cause (-1: the fork itself, counted once) and kind. */
class Tally {
  readonly #cells: Cells;
  readonly #counts = new Map<string, [number, number, number, number, number, number]>();

  constructor(cells: Cells) {
    this.#cells = cells;
  }

  add(row: number, policy: number, cause: number, kind: number): void {
    const { bin, command } = this.#cells;
    const key = `${policy} ${bin[row]} ${command[row]} ${cause} ${kind}`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, [bin[row]!, command[row]!, policy, cause, kind, 1]);
    else known[5]++;
  }

  rows(): (number | null)[][] {
    const sorted = [...this.#counts.values()].sort(
      (a, b) => a[2] - b[2] || a[0] - b[0] || a[1] - b[1] || a[3] - b[3] || a[4] - b[4],
    );
    return sorted.map(([bin, command, policy, cause, kind, n]) => [
      this.#cells.at[bin]!,
      command,
      policy,
      cause < 0 ? null : cause,
      kind,
      n,
    ]);
  }
}

function tableOf({ policies }: Summary, sets: Counted["sets"]): ChartTable {
  const rows = [...sets].flatMap(([id, ofPolicy]) => {
    const all = [...ofPolicy].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    const shown = all.slice(0, MOST_SETS);
    const rest = all.slice(MOST_SETS);
    if (rest.length > 0)
      shown.push([`${rest.length} other combinations`, rest.reduce((sum, [, n]) => sum + n, 0)]);
    const { slow } = policies[id]!;
    return shown.map(([set, n]) => [
      { value: id },
      { value: set },
      { value: n },
      { value: slow },
      { value: Number((n / slow).toFixed(6)), text: `${percent(n, slow)} %` },
    ]);
  });
  return {
    caption: "Slow forks by combination of causes, one row a policy and combination",
    columns: [
      { title: "policy" },
      { title: "causes" },
      ...["forks", "slow", "share"].map((title) => ({ title, isNumber: true })),
    ],
    rows,
  };
}

function describe({ policies }: Summary, id: string, sets: ReadonlyMap<string, number> | undefined): string {
  const { denied_by, slow } = policies[id]!;
  const [cause, forks] = Object.entries(denied_by).sort(([, a], [, b]) => b - a)[0]!;
  const alone = sets?.get(cause) ?? 0;
  return (
    `Under ${id}, ${cause} denies most often: ${groupDigits(forks)} of ${plural(slow, "slow fork")} (${percent(forks, slow)} %), ` +
    `in ${groupDigits(alone)} of these as the only cause.`
  );
}
