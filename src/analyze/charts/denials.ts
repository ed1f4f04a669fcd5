// Chart: who denies the fast path, and whether that cause alone does: a fork denied by one cause would be fast
// without it, one denied by several would not.
import type { ResultTables } from "../../table/verdict-tables.ts";
import { DENIAL_CAUSES } from "../../table/verdict-tables.ts";
import { groupDigits, percent, plural } from "../figure-text.ts";
import { referencePolicy } from "../policy-summary.ts";
import { eachRow, forkRowById } from "../rows.ts";
import type { Summary } from "../summary.ts";
import { type Cells, significant } from "./cells.ts";
import { type Chart, type ChartTable, type Dataset, nothingToDraw, PALETTE, specOf } from "./chart.ts";
import { rowView } from "./row-view.ts";
import { commandParam, IN_TIME, OF_COMMAND, OF_POLICY, policyParam, timeParams } from "./selections.ts";

const ID = "denials";
const TITLE = "Who denies the fast path?";
const DATA = "denials";
const ALONE = "the only cause";
const SHARED = "with other causes";
const CAUSES: readonly string[] = DENIAL_CAUSES;
/** Alone or shared; counts of a cell: those of each cause, and of the forks themselves. */
const KINDS = 2;
const PLACES = (CAUSES.length + 1) * KINDS;
/** Rows of the data set: policies, causes and commands that are all there would be 120,000. */
const MOST_ROWS = 8000;
/** Combinations listed in the table; the rest are one row. */
const MOST_SETS = 20;

interface Counted {
  readonly dataset: Dataset;
  /** By policy: slow forks by their combination of causes. */
  readonly sets: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Bins of time in the data set. */
  readonly bins: number;
}

/** Slow forks by cause. */
export function denialsChart(summary: Summary, tables: ResultTables, cells: Cells): Chart {
  const { policies } = summary;
  const denying = Object.keys(policies).filter((id) => Object.keys(policies[id]!.denied_by).length > 0);
  const reference = referencePolicy(policies);
  const first = denying.find((id) => id === reference) ?? denying[0];
  if (first === undefined) return nothingToDraw(ID, TITLE, "No decision names a cause of denial.");
  const { dataset, sets, bins } = countDenials(tables, cells, denying);
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
    description: describe(summary, first, sets.get(first)) + coarse(bins, cells),
    spec: specOf([...timeParams(cells), commandParam(cells), policyParam(denying, first)], view),
    datasets: { [DATA]: dataset },
    obeys: ["time", "policy", "command"],
    table: tableOf(summary, sets),
  };
}

function countDenials(tables: ResultTables, cells: Cells, policies: readonly string[]): Counted {
  const rowOf = forkRowById(tables);
  const tally = new Tally(cells, policies.length);
  const sets = new Map<string, Map<string, number>>(policies.map((id) => [id, new Map()]));
  eachRow(tables.verdicts, ["policy", "decision", "fork", "denied_by"], (batch, i) => {
    if (batch.get("decision", i) !== "slow") return;
    const id = batch.get("policy", i) ?? "";
    const row = rowOf(batch.get("fork", i) ?? -1);
    const ofPolicy = sets.get(id);
    if (ofPolicy === undefined || row === undefined) return;
    const causes = batch.get("denied_by", i);
    tally.add(row, policies.indexOf(id), causes);
    const set = [...causes].sort().join(" + ") || "none named";
    ofPolicy.set(set, (ofPolicy.get(set) ?? 0) + 1);
  });
  const words = { command: cells.commands, policy: policies, cause: CAUSES, kind: [ALONE, SHARED] };
  const { rows, bins } = tally.rows();
  return {
    dataset: { fields: ["at", "command", "policy", "cause", "kind", "forks"], words, rows },
    sets,
    bins,
  };
}

/** Slow forks by policy, cell, cause (-1: the fork itself, counted once) and kind. */
class Tally {
  readonly #cells: Cells;
  readonly #policies: number;
  readonly #counts: Float64Array;

  constructor(cells: Cells, policies: number) {
    this.#cells = cells;
    this.#policies = policies;
    this.#counts = new Float64Array(policies * cells.bins * cells.commands.length * PLACES);
  }

  add(row: number, policy: number, causes: readonly string[]): void {
    const { bin, command, bins, commands } = this.#cells;
    const cell = ((policy * bins + bin[row]!) * commands.length + command[row]!) * PLACES;
    const kind = causes.length === 1 ? 0 : 1;
    this.#counts[cell]! += 1;
    for (const cause of causes) this.#counts[cell + (CAUSES.indexOf(cause) + 1) * KINDS + kind]! += 1;
  }

  /** As many bins of time as keep them few: neighbours are put together two by two. */
  rows(): { readonly rows: Dataset["rows"]; readonly bins: number } {
    for (let wide = 1; ; wide *= 2) {
      const rows = this.#rows(wide);
      const bins = Math.ceil(this.#cells.bins / wide);
      if (rows.length <= MOST_ROWS || bins === 1) return { rows, bins };
    }
  }

  /** `wide`: bins of the cells that are one here. */
  #rows(wide: number): (number | null)[][] {
    const { bins, at, binWidth } = this.#cells;
    const rows: (number | null)[][] = [];
    for (let policy = 0; policy < this.#policies; policy++) {
      for (let from = 0; from < bins; from += wide) {
        const to = Math.min(bins, from + wide);
        const middle = wide === 1 ? at[from]! : significant(((from + to) / 2) * binWidth);
        this.#sums(policy, from, to).forEach((n, i) => {
          const cause = Math.floor((i % PLACES) / KINDS) - 1;
          if (n > 0)
            rows.push([middle, Math.floor(i / PLACES), policy, cause < 0 ? null : cause, i % KINDS, n]);
        });
      }
    }
    return rows;
  }

  /** The counts of a policy in bins [from, to), by command and place. */
  #sums(policy: number, from: number, to: number): Float64Array {
    const perBin = this.#cells.commands.length * PLACES;
    const begin = policy * this.#cells.bins * perBin;
    const sums = this.#counts.slice(begin + from * perBin, begin + (from + 1) * perBin);
    for (let i = (from + 1) * perBin; i < to * perBin; i++) sums[i % perBin]! += this.#counts[begin + i]!;
    return sums;
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

/** What the cap of the data set leaves out, for those who narrow the time. */
function coarse(bins: number, cells: Cells): string {
  if (bins === cells.bins) return "";
  const left = `${plural(bins, "bin")} of time here, where the other charts have ${cells.bins}`;
  return ` To keep the file small there ${bins === 1 ? "is" : "are"} ${left}: a narrower time takes in whole ones.`;
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
