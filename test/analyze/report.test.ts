// The page: numbers are the summary's, input text stays text, same input same bytes, nothing from the network.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { allCharts } from "../../src/analyze/charts/index.ts";
import { percent } from "../../src/analyze/figure-text.ts";
import { escapeHtml, html, trusted } from "../../src/analyze/report/html.ts";
import { renderReport } from "../../src/analyze/report/index.ts";
import { scriptJson } from "../../src/analyze/report/scripts.ts";
import { type Summary, summarize } from "../../src/analyze/summary.ts";
import { ColumnTable } from "../../src/table/columns.ts";
import { DENIAL_SPEC, NEAR_MISS_SPEC } from "../../src/table/verdict-tables.ts";
import { manyForks } from "../support/many-forks.ts";
import { emptyFixture, fixture, forkRow, HOSTILE } from "../support/verdict-fixture.ts";

const library = (name: string, file: string): string =>
  readFileSync(fileURLToPath(new URL(file, import.meta.resolve(name))), "utf8");
const LIBRARIES = {
  vega: library("vega", "vega.min.js"),
  vegaLite: library("vega-lite", "vega-lite.min.js"),
  interpreter: library("vega-interpreter", "vega-interpreter.js"),
};

async function reportOf(run: ReturnType<typeof fixture>): Promise<{ summary: Summary; page: string }> {
  const summary = summarize(run.tables, run.metas, run.infos);
  return {
    summary,
    page: await renderReport({ ...run, summary, toolVersion: "1.2.3", libraries: LIBRARIES }),
  };
}

const CHARTS = [
  "policies",
  "over-time",
  "denials",
  "commands",
  "exposures",
  "lazy-cpus",
  "windows",
  "waits",
  "near-misses",
  "evidence",
];

/** The page's text as read: without markup, entities resolved. */
function textOf(page: string): string {
  const text = markupOf(page).replace(/<[^>]+>/g, "");
  return text
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&");
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

  test("every marked figure is the summary's at its path", () => {
    const marked = [...page.matchAll(/<data data-figure="([^"]+)" value="([^"]+)">([^<]+)<\/data>/g)];
    expect(marked.length).toBeGreaterThan(100);
    const at = (path: string): number =>
      path
        .split("/")
        .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], summary) as number;
    for (const [, path, value, text] of marked) {
      const [part, whole] = path!.split(" of ") as [string, string | undefined];
      expect(Number(value)).toBe(whole === undefined ? at(part) : at(part) / at(whole));
      if (whole !== undefined) expect(text).toBe(`${percent(at(part), at(whole))} %`);
    }
  });

  test("the policy table has a row a policy, all counts in it", () => {
    const numbers = ["fast", "slow", "indeterminate", "unsafe", "unsafe_indeterminate"] as const;
    for (const [id, policy] of Object.entries(summary.policies)) {
      const row = new RegExp(`<tr><th scope="row" data-sort="${id}">(.*?)</tr>`).exec(page)![1]!;
      for (const name of numbers)
        expect(row).toContain(`data-figure="policies/${id}/${name}" value="${policy[name]}"`);
    }
  });

  test("answer first: numerator, denominator, share, unsafe", () => {
    const text = textOf(page);
    expect(text).toContain(
      "Under counts-unlocked the fast path is taken in at least 6 of 12 forks (50.0 %, 95 % interval 25.4 to 86.2 %); ▲&nbsp;2 of these are unsafe, of 1 it cannot be told; 2 more cannot be decided.",
    );
    expect(text).toContain("mm_users 7 of 8");
    expect(text).toContain("not evaluable: get-task-mm needs get_task_mm");
  });

  test("unsafe windows have an anchor, the interval, the input lines and the command", () => {
    const text = textOf(page);
    expect(page).toContain('<h4 id="fork-4"><a href="#fork-4">Fork 4</a>');
    expect(text).toContain("+5.00 us to +36.0 us");
    for (const line of [14, 19]) expect(page).toContain(`W&lt;5&gt;.txt:${line}<`);
    expect(text).toContain("forkcast explain DIR 4");
  });

  test("input text is never markup", () => {
    const markup = markupOf(page);
    expect(markup).not.toMatch(/<img|onerror=alert\(1\)>(?!&)|<script>alert/);
    expect(markup).toContain("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
    for (const char of ["\u001b", "\u0007", "\u202e"]) expect(markup.includes(char)).toBe(false);
    expect(page.match(/<script\b/g)).toHaveLength(5);
    expect(page.match(/<\/script>/g)).toHaveLength(5);
    expect(page.match(/<\/style>/g)).toHaveLength(1);
  });

  test("only the page's own scripts may run, and nothing may be loaded", () => {
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)![1]!;
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-/);
    for (const [, text] of page.matchAll(/<script>([\s\S]*?)<\/script>/g)) {
      expect(policy).toContain(`'sha256-${createHash("sha256").update(text!).digest("base64")}'`);
    }
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!;
    expect(policy).toContain(`style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`);
    expect(policy).not.toContain("unsafe");
    expect(markupOf(page)).not.toMatch(/(?:src|href)="(?!#|data:text\/csv;charset=utf-8,)| style="/);
  });

  test("every chart has its sentence and its table without scripts", () => {
    const figures = [...page.matchAll(/<figure id="chart-([a-z-]+)">([\s\S]*?)<\/figure>/g)];
    expect(figures.map((match) => match[1])).toEqual(CHARTS);
    for (const [, id, figure] of figures) {
      expect(figure).toMatch(/<figcaption><h3>[^<]+<\/h3><p>[^<]+/);
      expect(figure).toContain(`<table id="table-${id}">`);
      expect(figure).toContain(`<a download="forkcast-${id}.csv" href="data:text/csv;charset=utf-8,`);
    }
    expect(markupOf(page).includes("NaN")).toBe(false);
  });
});

test("a run without forks says so and carries no scripts", async () => {
  const { page } = await reportOf(emptyFixture());
  expect(page).toContain("No fork that copies an mm was found");
  expect(page.match(/<script\b/g)).toHaveLength(1);
});

test("chart specs and the numbers in their tables", () => {
  const { tables, metas, infos } = fixture();
  const charts = allCharts(summarize(tables, metas, infos), tables);
  for (const { datasets: _datasets, ...chart } of charts) expect(chart).toMatchSnapshot(chart.id);
});

test("near misses and lazy references are drawn where the results have them", async () => {
  const run = fixture();
  const near = new ColumnTable(NEAR_MISS_SPEC);
  const denials = new ColumnTable(DENIAL_SPEC);
  for (const [fork, distance_ns] of [
    [1, 7_000n],
    [2, 400n],
    [3, null],
  ] as const)
    near.append({
      fork,
      policy: "users-only",
      distance_ns,
      side: "after",
      kind: "kthread_use_mm",
      tid: 77,
      comm: HOSTILE[0]!,
      line: 90 + fork,
      gap_ns: null,
      at_ns: null,
      ordered_by: null,
    });
  for (const [fork, age] of [
    [7, 5_000n],
    [9, null],
  ] as const) {
    const start = run.tables.forks.get("start_ns", fork)!;
    denials.append({
      fork,
      counter: "mm_count",
      cause: "lazy-tlb",
      refs: 1,
      basis: null,
      evidence: "measured",
      cpu: 1,
      tid: 100,
      comm: HOSTILE[0]!,
      left_by: "forker",
      since_ns: age === null ? null : start - age,
      line: null,
    });
  }
  const { page } = await reportOf({
    ...run,
    tables: { ...run.tables, near_misses: near, denials },
  });
  const text = textOf(page);
  expect(text).toContain("users-only 2 near misses: median 400 ns, p99 7.00 us.");
  expect(text).toContain(
    "1 lazy reference left by the forker: median 5.00 us, p99 5.00 us. 1 reference of unknown age not drawn.",
  );
  expect(text.indexOf("by 400 ns, after the window")).toBeLessThan(
    text.indexOf("by 7.00 us, after the window"),
  );
  expect(text.indexOf("by 400 ns, after the window")).toBeGreaterThan(0);
});

test("a chart's size does not depend on the number of forks", () => {
  const { tables, metas, infos } = fixture();
  const big = fixture();
  for (let fork = 12; fork < 5000; fork++) big.tables.forks.append(forkRow(fork, { comm: `c${fork}` }));
  for (const policy of infos[0]!.policies) {
    for (let fork = 12; fork < 5000; fork++) {
      const row = {
        fork,
        policy,
        decision: "fast",
        verdict: "unsafe",
        denied_by: [],
        evidence: "measured",
        rejudged: null,
        hidden: [],
      };
      big.tables.verdicts.append(row);
    }
  }
  const size = (run: typeof big): number =>
    JSON.stringify(allCharts(summarize(run.tables, run.metas, run.infos), run.tables)).length;
  expect(size({ tables, metas, infos })).toBeGreaterThan(5000);
  expect(size(big)).toBeLessThan(250_000);
});

test("escaping", () => {
  for (const text of HOSTILE) {
    expect(escapeHtml(text)).not.toMatch(/[<>"'\p{C}]/u);
    expect(scriptJson({ text })).not.toContain("<");
    expect(JSON.parse(scriptJson({ text }))).toEqual({ text });
  }
  expect(html`<i>${"<"}${trusted("<b>")}${["&", 1, null]}</i>`.markup).toBe("<i>&lt;<b>&amp;1</i>");
});

test("a report of many forks stays small: what grows is bounded by cells of time, command and policy", async () => {
  const libraries = { ...LIBRARIES, vega: "", vegaLite: "" };
  const sizeOf = async (forks: number): Promise<number> => {
    const many = manyForks(forks);
    const summary = summarize(many.tables, many.metas, many.infos);
    return (await renderReport({ ...many, summary, toolVersion: "test", libraries })).length;
  };
  const [small, large] = [await sizeOf(12_000), await sizeOf(48_000)];
  expect(large).toBeLessThan(1_000_000);
  expect(large / small).toBeLessThan(1.6);
});
