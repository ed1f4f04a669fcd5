// Chart: how good the evidence is. One row a figure, one column an evidence class; every number is a number of forks.
import { EVIDENCE } from "../../table/verdict-tables.ts";
import { groupDigits, percent, plural } from "../figure-text.ts";
import type { Summary } from "../summary.ts";
import { type Chart, nothingToDraw, specOf } from "./chart.ts";

const ID = "evidence";
const TITLE = "How good is the evidence?";
const DATA = "evidence";

/** Forks by figure and evidence class. Of a decision it is the weakest evidence it rests on. */
export function evidenceChart({ forks, policies }: Summary): Chart {
  if (forks.total === 0) return nothingToDraw(ID, TITLE, "There are no forks.");
  const figures: (readonly [string, Readonly<Record<string, number>>])[] = [
    ["mm_users", forks.mm_users_evidence],
    ["mm_count", forks.mm_count_evidence],
    ...Object.entries(policies).map(([id, { evidence }]) => [id, evidence] as const),
  ];
  const names = figures.map(([name]) => name);
  const rows = figures.flatMap(([, counts], figure) =>
    EVIDENCE.map((word, i) => [
      figure,
      i,
      counts[word] ?? 0,
      Number(((counts[word] ?? 0) / forks.total).toFixed(6)),
    ]),
  );
  const x = {
    field: "evidence",
    type: "nominal",
    title: null,
    scale: { domain: [...EVIDENCE] },
    axis: { orient: "top", labelAngle: 0, ticks: false, domain: false, labelLimit: 80 },
  };
  const y = {
    field: "figure",
    type: "nominal",
    title: null,
    scale: { domain: names },
    axis: { ticks: false, domain: false, labelLimit: 180 },
  };
  const certain = (counts: Readonly<Record<string, number>>): number =>
    (counts["measured"] ?? 0) + (counts["derived"] ?? 0);
  const [users, count] = [forks.mm_users_evidence, forks.mm_count_evidence].map(certain) as [number, number];
  return {
    id: ID,
    title: TITLE,
    description:
      `Measured or derived exactly: mm_users in ${groupDigits(users)} of ${plural(forks.total, "fork")} (${percent(users, forks.total)} %), ` +
      `mm_count in ${groupDigits(count)} (${percent(count, forks.total)} %)${users + count < 2 * forks.total ? "; the rest are lower bounds, assumed or unknown" : ""}.`,
    spec: specOf([], {
      data: { name: DATA },
      height: { step: 26 },
      layer: [
        {
          mark: { type: "rect", stroke: "currentColor", strokeOpacity: 0.25 },
          encoding: {
            x,
            y,
            color: { value: "#56B4E9" },
            opacity: {
              field: "share",
              type: "quantitative",
              scale: { domain: [0, 1], range: [0, 0.55] },
              legend: null,
            },
            tooltip: [
              { field: "figure" },
              { field: "evidence" },
              { field: "forks", format: "," },
              { field: "share", format: ".1%" },
            ],
          },
        },
        {
          mark: { type: "text" },
          encoding: { x, y, text: { field: "forks", type: "quantitative", format: "," } },
        },
      ],
    }),
    datasets: {
      [DATA]: {
        fields: ["figure", "evidence", "forks", "share"],
        words: { figure: names, evidence: EVIDENCE },
        rows,
      },
    },
    obeys: [],
    table: {
      caption:
        "Forks by how a figure is known; a policy's row is of its decisions, by the weakest evidence each rests on",
      columns: [{ title: "figure" }, ...EVIDENCE.map((title) => ({ title, isNumber: true }))],
      rows: figures.map(([name, counts]) => [
        { value: name },
        ...EVIDENCE.map((word) => ({ value: counts[word] ?? 0 })),
      ]),
    },
  };
}
