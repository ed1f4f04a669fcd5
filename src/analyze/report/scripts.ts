// The report's scripts and the policy that confines them: Vega's runtime, the chart specs as data, a bootstrap that
// swaps each static picture for the live one. A page whose scripts do not run keeps the static pictures.
import { createHash } from "node:crypto";
import type { CompiledChart } from "../charts/compile.ts";
import { type Html, html, trusted } from "./html.ts";

const BOOTSTRAP = `"use strict";
(() => {
  const specs = JSON.parse(document.getElementById("chart-specs").textContent);
  for (const [id, spec] of Object.entries(specs)) {
    const box = document.querySelector("#chart-" + id + " .plot");
    const live = document.createElement("div");
    const view = new vega.View(vega.parse(spec), { renderer: "svg", hover: true, logLevel: vega.Error });
    view.initialize(live).runAsync().then(() => {
      // viewBox instead of a fixed size, as in the static picture: the page's style scales it.
      const svg = live.querySelector("svg");
      svg.removeAttribute("width");
      svg.removeAttribute("height");
      box.replaceChildren(live);
    }).catch(() => {});
  }
})();
`;

export interface PageScripts {
  /** Value of the Content-Security-Policy meta element. */
  readonly policy: string;
  readonly elements: Html;
}

/** Scripts of the page. `vegaSource` is the text of vega.min.js; with no chart to draw it is left out. */
export function pageScripts(charts: readonly CompiledChart[], vegaSource: string): PageScripts {
  const drawn = charts.filter((chart) => chart.spec !== null);
  if (drawn.length === 0) return { policy: contentPolicy([]), elements: html`` };
  const runtime = scriptText(vegaSource);
  const specs = Object.fromEntries(drawn.map((chart) => [chart.id, chart.vega]));
  return {
    policy: contentPolicy([runtime, BOOTSTRAP]),
    elements: html`<script type="application/json" id="chart-specs">${trusted(scriptJson(specs))}</script>
<script>${trusted(runtime)}</script>
<script>${trusted(BOOTSTRAP)}</script>
`,
  };
}

/**
 * No network at all; only the scripts with these hashes run. 'unsafe-eval' is for Vega, which compiles the
 * expressions in a spec with Function(); it does not let any other script in. Vega and the SVGs set style attributes.
 */
function contentPolicy(scripts: readonly string[]): string {
  const hashes = scripts.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  const source = hashes.length === 0 ? "'none'" : `${hashes.join(" ")} 'unsafe-eval'`;
  return `default-src 'none'; script-src ${source}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** JSON for a script element: "<" as \u003c, so that neither "</script" nor "<!--" can occur. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/</g, "\\u003c");
}

/** A library for a script element. Its "</script" and "<!--" can only stand in strings or regexes, where \ is harmless. */
function scriptText(source: string): string {
  return source.replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "<\\!--");
}
