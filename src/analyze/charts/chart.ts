// What a chart is: a Vega-Lite spec with its data inside, a title and one sentence with the figures in words. The
// chart files make these, compile.ts turns them into SVG and Vega specs, the report shows them.
import { OUTCOME_LABELS, OUTCOMES } from "../outcomes.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface Chart {
  /** File-safe id, unique in a report. */
  readonly id: string;
  readonly title: string;
  /** One sentence with the figures; also the chart's text alternative. */
  readonly description: string;
  /** null: there is nothing to draw, the description says why. */
  readonly spec: JsonObject | null;
}

/** Width of every plot in px; the page scales the SVG. */
export const PLOT_WIDTH = 460;

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

/** Colour of text on a bar of the outcome: black or white, whichever reads better. */
export const OUTCOME_TEXT: JsonObject = {
  domain: OUTCOMES.map((outcome) => OUTCOME_LABELS[outcome]),
  range: ["#ffffff", "#000000", "#000000", "#000000", "#000000"],
};

/** Width of plots with long names on the left or text on the right. */
export const NARROW_PLOT_WIDTH = 320;

/** Puts inline data and the schema around a view. */
export function specOf(values: readonly JsonObject[], view: JsonObject): JsonObject {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    data: { values },
    width: PLOT_WIDTH,
    ...view,
  };
}
