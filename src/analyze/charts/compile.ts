// Charts -> SVG, in Node, without canvas: for a chart in a file. The report does not come here: it is drawn by the
// reader's browser. The only file that imports vega and vega-lite: they take longer to load than most commands to run.
import { type Chart, completeSpec } from "./chart.ts";
import { CHART_CONFIG } from "./config.ts";

export interface CompiledChart extends Chart {
  /** The picture as SVG text; empty when there is nothing to draw. */
  readonly svg: string;
}

/** Compiles and draws every chart. Same charts, same result: SVG ids are counted from 0 in each call. */
export async function compileCharts(charts: readonly Chart[]): Promise<CompiledChart[]> {
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  vega.resetSVGDefIds();
  const logger = vega.logger(vega.Error);
  const out: CompiledChart[] = [];
  for (const chart of charts) {
    const complete = completeSpec(chart);
    if (complete === null) {
      out.push({ ...chart, svg: "" });
      continue;
    }
    const options = { config: CHART_CONFIG as object, logger } as Parameters<typeof vegaLite.compile>[1];
    const input = complete as unknown as Parameters<typeof vegaLite.compile>[0];
    const view = new vega.View(vega.parse(vegaLite.compile(input, options).spec), {
      renderer: "none",
      logger,
    });
    out.push({ ...chart, svg: await view.toSVG() });
    view.finalize();
  }
  return out;
}
