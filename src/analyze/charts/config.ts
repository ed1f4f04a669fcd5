// How every chart looks, in a page and in a file: ink follows the surrounding text colour, so that one picture serves
// light and dark.
import type { JsonObject } from "./chart.ts";

export const CHART_CONFIG: JsonObject = {
  background: "transparent",
  font: "system-ui, sans-serif",
  view: { stroke: null },
  axis: {
    labelColor: "currentColor",
    titleColor: "currentColor",
    domainColor: "currentColor",
    tickColor: "currentColor",
    gridColor: "currentColor",
    gridOpacity: 0.12,
    titleFontWeight: "normal",
    labelFontSize: 11,
    titleFontSize: 12,
  },
  legend: { labelColor: "currentColor", titleColor: "currentColor", labelLimit: 260, labelFontSize: 12 },
  title: {
    color: "currentColor",
    subtitleColor: "currentColor",
    subtitlePadding: 4,
    offset: 12,
    fontSize: 14,
    subtitleFontSize: 11,
  },
  text: { color: "currentColor", fontSize: 12 },
};
