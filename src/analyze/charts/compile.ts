// Vega-Lite specs -> Vega specs and static SVG, in Node, without canvas. The only file that imports vega and
// vega-lite, and only when a report is made: they take longer to load than most commands to run.
import type { Chart, Json, JsonObject } from "./chart.ts";

export interface CompiledChart extends Chart {
  /** Full Vega spec for the page's runtime; null as spec. */
  readonly vega: Json;
  /** The same picture as SVG text; empty when there is nothing to draw. */
  readonly svg: string;
}

/** Ink follows the page's text colour, so that one SVG serves light and dark. */
const CONFIG: JsonObject = {
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
  },
  legend: { labelColor: "currentColor", titleColor: "currentColor", labelLimit: 260 },
  text: { color: "currentColor" },
};

/** Compiles and draws every chart. Same charts, same result: SVG ids are counted from 0 in each call. */
export async function compileCharts(charts: readonly Chart[]): Promise<CompiledChart[]> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  vega.resetSVGDefIds();
  const logger = vega.logger(vega.Error);
  const out: CompiledChart[] = [];
  for (const chart of charts) {
    if (chart.spec === null) {
      out.push({ ...chart, vega: null, svg: "" });
      continue;
    }
    const options = { config: CONFIG as object, logger } as Parameters<typeof vegaLite.compile>[1];
    const input = chart.spec as unknown as Parameters<typeof vegaLite.compile>[0];
    const spec = { ...vegaLite.compile(input, options).spec, description: chart.description };
    const view = new vega.View(vega.parse(spec), { renderer: "none", logger });
    const svg = await view.toSVG();
    view.finalize();
    out.push({ ...chart, vega: spec as unknown as Json, svg });
  }
  return out;
}
