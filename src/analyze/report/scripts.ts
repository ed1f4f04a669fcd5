// The report's scripts and the policy that confines them: Vega, Vega-Lite, the expression interpreter that lets Vega do
// without eval, the charts as data, and the page's own script. Everything else in the page works without them.
import { createHash } from "node:crypto";
import { assert } from "../../base/assert.ts";
import { type Chart, compact } from "../charts/chart.ts";
import { CHART_CONFIG } from "../charts/config.ts";
import { type Html, html, trusted } from "./html.ts";
import { PAGE_SCRIPT } from "./page-script.ts";

/** Texts of the libraries' files, as published. */
export interface ChartLibraries {
  /** vega.min.js */
  readonly vega: string;
  /** vega-lite.min.js */
  readonly vegaLite: string;
  /** vega-interpreter.js, a module over vega-util. */
  readonly interpreter: string;
}

export interface PageScripts {
  /** Value of the Content-Security-Policy meta element. */
  readonly policy: string;
  readonly elements: Html;
}

/** Scripts of the page; without a chart to draw the libraries are left out. */
export function pageScripts(charts: readonly Chart[], libraries: ChartLibraries, style: string): PageScripts {
  const drawn = charts.filter((chart) => chart.spec !== null);
  const scripts = drawn.length === 0 ? [PAGE_SCRIPT] : [...libraryScripts(libraries), PAGE_SCRIPT];
  const data =
    drawn.length === 0
      ? null
      : html`<script type="application/json" id="chart-data">${trusted(scriptJson(chartData(drawn)))}</script>\n`;
  return {
    policy: contentPolicy(scripts, style),
    elements: html`${data}${scripts.map((script) => html`<script>${trusted(script)}</script>\n`)}`,
  };
}

function chartData(charts: readonly Chart[]): unknown {
  return {
    config: { ...CHART_CONFIG, aria: false },
    // A data set that several charts share is stored once.
    datasets: Object.fromEntries(
      charts.flatMap(({ datasets }) => Object.entries(datasets).map(([name, set]) => [name, compact(set)])),
    ),
    charts: charts.map(({ id, description, spec, datasets }) => ({
      id,
      description,
      spec,
      datasets: Object.keys(datasets),
    })),
  };
}

function libraryScripts({ vega, vegaLite, interpreter }: ChartLibraries): string[] {
  return [vega, vegaLite, interpreterScript(interpreter)].map(scriptText);
}

/** The interpreter is published as a module only; its imports are functions that vega.min.js exports as well. */
function interpreterScript(source: string): string {
  const module =
    /^import \{([\w, ]+)\} from 'vega-util';\n([\s\S]*)\nexport \{ expression as expressionInterpreter \};\n(?:\/\/.*\n?)?$/.exec(
      source,
    );
  assert(module !== null, "vega-interpreter.js has the shape of the pinned version");
  return `var vegaInterpreter = (() => {\nconst {${module[1]}} = vega;\n${module[2]}\nreturn expression;\n})();\n`;
}

/** No network, no eval, no style or script but those with these hashes. */
function contentPolicy(scripts: readonly string[], style: string): string {
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return `default-src 'none'; script-src ${scripts.map(hash).join(" ")}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
}

/** JSON for a script element: "<" as \u003c, so that neither "</script" nor "<!--" can occur. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/</g, "\\u003c");
}

/** Script text cannot contain its own end tag; "</script" can only stand in strings or regexes, where \ is harmless. */
function scriptText(source: string): string {
  return source.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "<\\!--");
}
