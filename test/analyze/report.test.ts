// The page: numbers are the summary's, input text stays text, same input same bytes, nothing from the network.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { allCharts } from "../../src/analyze/charts/index.ts";
import { escapeHtml, html, trusted } from "../../src/analyze/report/html.ts";
import { renderReport } from "../../src/analyze/report/index.ts";
import { scriptJson } from "../../src/analyze/report/scripts.ts";
import { percent } from "../../src/analyze/statistics.ts";
import { type Summary, summarize } from "../../src/analyze/summary.ts";
import { emptyFixture, fixture, forkRow, HOSTILE } from "../support/verdict-fixture.ts";

const VEGA = readFileSync(fileURLToPath(new URL("vega.min.js", import.meta.resolve("vega"))), "utf8");

async function reportOf(run: ReturnType<typeof fixture>): Promise<{ summary: Summary; page: string }> {
  const summary = summarize(run.tables, run.metas, run.infos);
  return {
    summary,
    page: await renderReport({ ...run, summary, toolVersion: "1.2.3", vegaSources: { vega: VEGA } }),
  };
}

/** The page without its scripts' and style's text. */
function markupOf(page: string): string {
  return page.replace(/<(script|style)\b([^>]*)>[\s\S]*?<\/\1>/g, "<$1$2></$1>");
}

describe("a run with everything", () => {
  let page = "";
  let summary: Summary;
  beforeAll(async () => {
    ({ page, summary } = await reportOf(fixture()));
  });

  test("same input, same bytes", async () => {
    expect((await reportOf(fixture())).page === page).toBe(true);
  });

  test("the policy table has the summary's numbers", () => {
    for (const [id, policy] of Object.entries(summary.policies)) {
      const row = new RegExp(`<tr><td><code>${id}</code></td>(.*?)</tr>`).exec(page)![1]!;
      const cells = [...row.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map((match) =>
        match[1]!.replace(/<[^>]+>|▲ /g, ""),
      );
      const { fast, slow, indeterminate, unsafe, unsafe_indeterminate } = policy;
      const expected = [fast, percent(fast, 12), slow, indeterminate, unsafe, unsafe_indeterminate];
      expect(cells.slice(0, 6)).toEqual(expected.map(String));
    }
  });

  test("answer first: numerator, denominator, share, unsafe", () => {
    expect(page).toContain(
      "Under counts-unlocked the fast path is taken in 6 of 12 (50.0 %); 2 cannot be decided.",
    );
    expect(page).toContain("▲ 2 of these 6 are unsafe");
    expect(page).toContain("mm_users 7 of 8 (8 sampled)");
  });

  test("unsafe windows have an anchor, the interval and the input lines", () => {
    expect(page).toContain('<a id="fork-4" href="#fork-4">4</a>');
    expect(page).toContain("5.00 us to 36.0 us");
    for (const line of [14, 19, 24]) expect(page).toContain(`W&lt;5&gt;.txt:${line}<`);
  });

  test("input text is never markup", () => {
    const markup = markupOf(page);
    expect(markup).not.toMatch(/<img|onerror=alert\(1\)>(?!&)|<script>alert/);
    expect(markup).toContain("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
    for (const char of ["\u001b", "\u0007", "\u202e"]) expect(markup.includes(char)).toBe(false);
    expect(page.match(/<script\b/g)).toHaveLength(3);
    expect(page.match(/<\/script>/g)).toHaveLength(3);
    expect(page.match(/<\/style>/g)).toHaveLength(1);
  });

  test("only the page's own scripts may run, and nothing may be loaded", () => {
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)![1]!;
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-/);
    for (const [, text] of page.matchAll(/<script>([\s\S]*?)<\/script>/g)) {
      expect(policy).toContain(`'sha256-${createHash("sha256").update(text!).digest("base64")}'`);
    }
    expect(markupOf(page)).not.toMatch(/(?:src|href)="(?!#|data:,")/);
  });

  test("every chart is there without scripts, named and described", () => {
    const figures = [...page.matchAll(/<figure id="chart-([a-z-]+)">/g)].map((match) => match[1]);
    expect(figures).toEqual(["policies", "denials", "over-time", "commands", "windows", "exposures"]);
    expect(page.match(/<div class="plot"><svg /g)).toHaveLength(6);
    expect(markupOf(page).includes("NaN")).toBe(false);
  });
});

test("a run without forks says so and carries no scripts", async () => {
  const { page } = await reportOf(emptyFixture());
  expect(page).toContain('<p class="figure">0 forks.</p>');
  expect(page).not.toContain("<script");
});

test("chart specs, with their data", () => {
  const { tables, metas, infos } = fixture();
  expect(allCharts(summarize(tables, metas, infos), tables)).toMatchSnapshot();
});

test("a chart's size does not depend on the number of forks", () => {
  const { tables, metas, infos } = fixture();
  const big = fixture();
  for (let fork = 12; fork < 5000; fork++) big.tables.forks.append(forkRow(fork, { comm: `c${fork}` }));
  for (const policy of infos[0]!.policies) {
    for (let fork = 12; fork < 5000; fork++) {
      const row = { fork, policy, decision: "fast", verdict: "unsafe", denied_by: [], evidence: "measured" };
      big.tables.verdicts.append(row);
    }
  }
  const size = (run: typeof big): number =>
    JSON.stringify(allCharts(summarize(run.tables, run.metas, run.infos), run.tables)).length;
  expect(size({ tables, metas, infos })).toBeGreaterThan(5000);
  expect(size(big)).toBeLessThan(100_000);
});

test("escaping", () => {
  for (const text of HOSTILE) {
    expect(escapeHtml(text)).not.toMatch(/[<>"'\p{C}]/u);
    expect(scriptJson({ text })).not.toContain("<");
    expect(JSON.parse(scriptJson({ text }))).toEqual({ text });
  }
  expect(html`<i>${"<"}${trusted("<b>")}${["&", 1, null]}</i>`.markup).toBe("<i>&lt;<b>&amp;1</i>");
});
