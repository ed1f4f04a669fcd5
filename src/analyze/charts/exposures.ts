// Chart: use of the mm elsewhere inside the window, by worst class. Lazy residue is told apart: it is reported,
// never unsafe by itself.
import type { ResultTables } from "../../table/verdict-tables.ts";
import { EXPOSURE_CLASSES } from "../../table/verdict-tables.ts";
import { groupDigits, percent, plural } from "../figure-text.ts";
import { textAt } from "../rows.ts";
import type { Summary } from "../summary.ts";
import type { Cells } from "./cells.ts";
import { type Chart, type Dataset, nothingToDraw, PALETTE, specOf } from "./chart.ts";
import { rowView } from "./row-view.ts";
import { commandParam, IN_TIME, OF_COMMAND, timeParams } from "./selections.ts";

/** What each class means, in a few words. */
export const EXPOSURE_MEANING: Readonly<Record<string, string>> = {
  U1: "in use elsewhere at the check",
  U2: "thread switched in",
  U2b: "thread resumed from lazy",
  U3: "kthread_use_mm begins",
  U3b: "borrower switched in",
  U4: "lazy residue only",
  U4b: "lazy, cleared by this fork's flush",
  U5: "vfork child's tail",
  U6: "device suspected",
  U7: "trace cannot tell",
};

const ID = "exposures";
const TITLE = "Who uses the mm elsewhere inside the window?";
const DATA = "exposures";
const KINDS = ["exposed", "lazy residue", "cannot tell"] as const;

/** Forks by worst exposure class. */
export function exposuresChart({ forks }: Summary, tables: ResultTables, cells: Cells): Chart {
  const found = EXPOSURE_CLASSES.filter((id) => (forks.exposure[id] ?? 0) > 0);
  const none = forks.exposure["none"] ?? 0;
  const hit = found
    .filter((id) => kindOf(id) === "exposed")
    .reduce((sum, id) => sum + forks.exposure[id]!, 0);
  const description = `In ${hit === 0 ? "none" : groupDigits(hit)} of ${plural(forks.total, "fork")} another task uses the mm on another CPU inside the window; in ${groupDigits(none)} nothing of the kind, not even lazily.`;
  if (forks.total === 0) return nothingToDraw(ID, TITLE, "There are no forks.");
  if (found.length === 0) return nothingToDraw(ID, TITLE, description);
  const names = found.map(labelOf);
  const view = rowView({
    data: DATA,
    field: "class",
    names,
    transform: [IN_TIME, OF_COMMAND],
    bar: {
      transform: [{ aggregate: [{ op: "sum", field: "forks", as: "forks" }], groupby: ["class", "kind"] }],
      encoding: {
        x: {
          field: "forks",
          type: "quantitative",
          title: "forks",
          axis: { tickMinStep: 1, tickCount: 5, format: "~s" },
        },
        color: {
          field: "kind",
          type: "nominal",
          scale: { domain: [...KINDS], range: [PALETTE.vermillion, PALETTE.sky, PALETTE.grey] },
          legend: { title: null, orient: "top" },
        },
        tooltip: [{ field: "class" }, { field: "kind" }, { field: "forks", format: "," }],
      },
    },
    label: [
      { aggregate: [{ op: "sum", field: "forks", as: "forks" }], groupby: ["class", "kind"] },
      { calculate: "datum.class", as: "left" },
      { calculate: "datum.kind + ': ' + format(datum.forks, ',')", as: "right" },
    ],
  });
  return {
    id: ID,
    title: TITLE,
    description,
    spec: specOf([...timeParams(cells), commandParam(cells)], view),
    datasets: { [DATA]: datasetOf(tables, cells, found) },
    obeys: ["time", "command"],
    table: {
      caption: "Forks by the worst class of use of the mm elsewhere",
      columns: [
        { title: "class" },
        { title: "meaning" },
        { title: "kind" },
        { title: "forks", isNumber: true },
        { title: "share", isNumber: true },
      ],
      rows: found.map((id) => {
        const n = forks.exposure[id]!;
        const share = { value: Number((n / forks.total).toFixed(6)), text: `${percent(n, forks.total)} %` };
        return [
          { value: id },
          { value: EXPOSURE_MEANING[id] ?? "" },
          { value: kindOf(id) },
          { value: n },
          share,
        ];
      }),
    },
  };
}

function labelOf(id: string): string {
  return `${id} ${EXPOSURE_MEANING[id] ?? ""}`;
}

function datasetOf({ forks }: ResultTables, cells: Cells, found: readonly string[]): Dataset {
  const counts = new Map<number, number[]>();
  for (const batch of forks.batches(["exposure"])) {
    const exposure = batch.column("exposure");
    for (let i = 0; i < batch.length; i++) {
      const at = found.indexOf(textAt(exposure, exposure.ints.data[i]) ?? "none");
      if (at < 0) continue;
      const row = batch.first + i;
      const key = (at * cells.bins + cells.bin[row]!) * cells.commands.length + cells.command[row]!;
      const known = counts.get(key);
      if (known !== undefined) known[4]!++;
      else
        counts.set(key, [
          cells.at[cells.bin[row]!]!,
          cells.command[row]!,
          at,
          KINDS.indexOf(kindOf(found[at]!)),
          1,
        ]);
    }
  }
  return {
    fields: ["at", "command", "class", "kind", "forks"],
    words: { command: cells.commands, class: found.map(labelOf), kind: KINDS },
    rows: [...counts.values()].sort((a, b) => a[2]! - b[2]! || a[0]! - b[0]! || a[1]! - b[1]!),
  };
}

function kindOf(id: string): (typeof KINDS)[number] {
  if (id === "U7") return "cannot tell";
  return id === "U4" || id === "U4b" ? "lazy residue" : "exposed";
}
