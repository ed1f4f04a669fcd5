// What a chart is: a Vega-Lite spec over named, pre-aggregated data sets, a title, one sentence with the figures in
// words, and a table with the same figures. The chart files make these; the report draws them in the reader's
// browser, compile.ts draws them in Node for `chart`.

import { OUTCOME_LABELS, OUTCOMES } from "../outcomes.ts";
import { wrap } from "../plain-text.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Rows of a data set as arrays. A field that has `words` holds indexes into them: names and often repeated numbers are stored once. */
export interface Dataset {
  readonly fields: readonly string[];
  readonly words: Readonly<Record<string, readonly (string | number)[]>>;
  readonly rows: readonly (readonly (number | string | null)[])[];
}

/** What the reader can narrow the charts to. */
export type Selection = "time" | "policy" | "command";

/** A cell: the value as the tables have it, and how people read it (the value itself when absent). */
export interface Cell {
  readonly value: number | string | null;
  readonly text?: string;
}

export interface ChartTable {
  /** What a row is. */
  readonly caption: string;
  readonly columns: readonly { readonly title: string; readonly isNumber?: boolean }[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface Chart {
  /** File-safe id, unique in a report. */
  readonly id: string;
  readonly title: string;
  /** One sentence with the figures of the whole recording; also the chart's text alternative. */
  readonly description: string;
  /** Over data sets by name; null: there is nothing to draw, the description says why. */
  readonly spec: JsonObject | null;
  readonly datasets: Readonly<Record<string, Dataset>>;
  /** What narrows it; the others leave it as it is. */
  readonly obeys: readonly Selection[];
  readonly table: ChartTable | null;
}

/** Width of a plot outside a page, in px; a page sets its own. */
const PLOT_WIDTH = 520;

/** Okabe and Ito's palette: distinguishable with any common colour vision, on light and dark ground. */
export const PALETTE = {
  orange: "#E69F00",
  sky: "#56B4E9",
  green: "#009E73",
  yellow: "#F0E442",
  blue: "#0072B2",
  vermillion: "#D55E00",
  purple: "#CC79A7",
  grey: "#999999",
} as const;

/** Colour scale of outcomes. Every mark that uses it also carries the outcome as text or shape. */
export const OUTCOME_SCALE: JsonObject = {
  domain: OUTCOMES.map((outcome) => OUTCOME_LABELS[outcome]),
  range: [PALETTE.blue, PALETTE.purple, PALETTE.vermillion, PALETTE.sky, PALETTE.grey],
};

/** The empty table of a chart with nothing to draw. */
export function nothingToDraw(id: string, title: string, description: string): Chart {
  return { id, title, description, spec: null, datasets: {}, obeys: [], table: null };
}

/** Puts the schema, the width and the selections around a view. */
export function specOf(params: readonly JsonObject[], view: JsonObject): JsonObject {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: PLOT_WIDTH,
    autosize: { type: "fit-x", contains: "padding" },
    params,
    ...view,
  };
}

/** Width of a plot in a file of its own, in px, and columns of the sentence above it: letters of 11 px. */
const FILE_WIDTH = 680;
const SUBTITLE_COLUMNS = 84;

/** A chart's spec with its title, sentence and data inside: complete, for a file or any Vega-Lite editor. */
export function completeSpec({ spec, datasets, title, description }: Chart): JsonObject | null {
  if (spec === null) return null;
  const expanded = Object.entries(datasets).map(([name, dataset]) => [name, expand(dataset)] as const);
  const heading = { text: title, subtitle: wrap(description, 0, SUBTITLE_COLUMNS), anchor: "start" };
  return {
    ...spec,
    width: FILE_WIDTH,
    // Fitted to the width, a plot would pay for the length of its title.
    autosize: { type: "pad" },
    title: heading,
    description,
    datasets: Object.fromEntries(expanded),
  };
}

/** The same data in fewer characters: numbers that repeat are stored once, rows hold their index. For the page. */
export function compact({ fields, words, rows }: Dataset): Dataset {
  const given: Record<string, readonly (string | number)[]> = { ...words };
  const indexes = fields.map((field, i): Map<number, number> | null => {
    const distinct = given[field] === undefined ? numbersOf(rows, i) : null;
    if (distinct === null || distinct.size * 4 > rows.length) return null;
    given[field] = [...distinct.keys()];
    return distinct;
  });
  if (indexes.every((index) => index === null)) return { fields, words, rows };
  const short = rows.map((row) =>
    row.map((cell, i) => (cell === null ? null : (indexes[i]?.get(cell as number) ?? cell))),
  );
  return { fields, words: given, rows: short };
}

/** Index by distinct number of a column, in order of first appearance; null when it holds text. */
function numbersOf(rows: Dataset["rows"], column: number): Map<number, number> | null {
  const out = new Map<number, number>();
  for (const row of rows) {
    const cell = row[column] ?? null;
    if (typeof cell === "string") return null;
    if (cell !== null && !out.has(cell)) out.set(cell, out.size);
  }
  return out;
}

function expand({ fields, words, rows }: Dataset): JsonObject[] {
  return rows.map((row) =>
    Object.fromEntries(
      fields.map((field, i) => {
        const cell = row[i] ?? null;
        return [field, words[field] === undefined || cell === null ? cell : words[field][Number(cell)]!];
      }),
    ),
  );
}
