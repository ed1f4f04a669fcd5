// The page in a browser: opened from disk without a network it draws every chart, obeys the reader's selections,
// says the tables' numbers, reads at any width, on paper and by machine. Skipped, and said so, where no Chromium is.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { forkcast, scratch } from "../cli/run-cli.ts";
import { CHROME, launch, type OpenPage, open, readTable } from "./browser.ts";
import { type Rows, readRows, recount, tally } from "./recount.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
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
  "lazy-age",
  "evidence",
];

describe.skipIf(CHROME === undefined)("the report of a recording with unsafe windows", () => {
  const dir = join(scratch(), "w5");
  const file = join(dir, "report.html");
  let browser: Browser;
  let opened: OpenPage;
  let page: Page;
  let rows: Rows;

  beforeAll(async () => {
    const { code } = forkcast(["analyze", "traces/6.1/W5.trace-cmd.txt.zst", "-o", dir], { cwd: ROOT });
    expect(code).toBe(0);
    rows = readRows(dir);
    browser = await launch();
    opened = await open(browser, file);
    page = opened.page;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
  });

  test("one file of at most 3 MB, no request, no complaint", () => {
    expect(readFileSync(file).length).toBeLessThan(3e6);
    expect(opened.requests).toEqual([]);
    expect(opened.complaints).toEqual([]);
  });

  test("every chart is drawn, with as many marks as the tables have groups", async () => {
    expect(await page.getAttribute("html", "data-drawn")).toBe(String(CHARTS.length));
    const marks = async (id: string, kind: string): Promise<number> =>
      page.locator(`#plot-${id} .mark-${kind}.role-mark > path`).count();
    const fast = rows.verdicts.filter(({ decision }) => decision === "fast");
    expect(await marks("policies", "rect")).toBeGreaterThanOrEqual(
      tally(fast, ({ policy, verdict }) => `${policy} ${verdict}`).size,
    );
    const comm = (fork: number | null): string => String(rows.forks[fork!]!.comm);
    const reference = rows.verdicts.filter(({ policy }) => policy === "counts-unlocked");
    expect(await marks("commands", "rect")).toBe(
      tally(reference, ({ fork, decision, verdict }) => `${comm(fork)} ${decision} ${verdict}`).size,
    );
    expect(await marks("lazy-cpus", "rect")).toBe(tally(rows.forks, ({ lazy_cpus }) => lazy_cpus).size);
    expect(await marks("evidence", "rect")).toBe(5 * 11);
    expect(await marks("windows", "symbol")).toBe(
      tally(rows.forks, ({ window, start_ns, end_ns }) => `${window} ${end_ns! - start_ns!}`).size,
    );
    const aged = rows.denials.filter(({ cause, since_ns }) => cause === "lazy-tlb" && since_ns !== null);
    expect(await marks("lazy-age", "symbol")).toBe(
      tally(aged, ({ fork, left_by, since_ns }) => `${left_by} ${rows.forks[fork!]!.start_ns! - since_ns!}`)
        .size,
    );
    for (const id of CHARTS) expect(await page.locator(`#plot-${id} svg`).count(), id).toBe(1);
  });

  test("every marked figure is what the tables' rows add up to", async () => {
    const again = recount(rows);
    const marked = await page.$$eval("data[data-figure]", (all) =>
      all.map((data) => [data.getAttribute("data-figure"), data.getAttribute("value")] as [string, string]),
    );
    const checked = marked.filter(([path]) => /^(forks|policies)\//.test(path));
    expect(checked.length).toBeGreaterThan(140);
    for (const [path, value] of checked) {
      const [part, whole] = path.split(" of ") as [string, string | undefined];
      const expected =
        whole === undefined ? (again.get(part) ?? 0) : (again.get(part) ?? 0) / again.get(whole)!;
      expect(Number(value), path).toBe(expected);
    }
  });

  test("the charts' tables are what the tables' rows add up to", async () => {
    const byComm = tally(rows.forks, ({ comm }) => comm);
    expect(new Map((await readTable(page, "commands")).map(([name, n]) => [name, n]))).toEqual(byComm);
    const byLazy = tally(rows.forks, ({ lazy_cpus }) => lazy_cpus);
    expect(new Map((await readTable(page, "lazy-cpus")).map(([lazy, n]) => [String(lazy), n]))).toEqual(
      byLazy,
    );
    const slow = rows.verdicts.filter(
      ({ decision, policy }) => decision === "slow" && policy !== "always-atomic",
    );
    const sets = tally(slow, ({ policy, denied_by }) => `${policy} ${[...denied_by].sort().join(" + ")}`);
    expect(
      new Map((await readTable(page, "denials")).map(([policy, set, n]) => [`${policy} ${set}`, n])),
    ).toEqual(sets);
    const bins = await readTable(page, "over-time");
    const column = (i: number): number => bins.reduce((sum, row) => sum + Number(row[i]), 0);
    const again = recount(rows);
    expect([column(2), column(3), column(4)]).toEqual([
      again.get("policies/counts-unlocked/fast"),
      rows.forks.length,
      again.get("policies/counts-unlocked/unsafe"),
    ]);
    const exposed = new Map((await readTable(page, "exposures")).map((row) => [row[0], row[3]]));
    const byClass = tally(rows.forks, ({ exposure }) => exposure);
    byClass.delete("none");
    expect(exposed).toEqual(byClass);
  });

  test("Wilson's interval in the picture is the one in the table", async () => {
    for (const row of await readTable(page, "policies")) {
      const [policy, fast, , , , undecided, forks, , low, high] = row as [string, ...number[]];
      if (policy === "always-atomic") continue;
      expect([low!, high!].map((x) => Number(x.toFixed(4)))).toEqual([
        bound(fast!, forks!, -1),
        bound(fast! + undecided!, forks!, 1),
      ]);
    }
    const drawn = await page.$$eval(
      "#plot-policies .mark-rule.role-mark > line, #plot-policies .mark-rule.role-mark > path",
      (all) => all.length,
    );
    expect(drawn).toBe(8);
  });

  test("commands and time narrow every other chart; Show all undoes it", async () => {
    await page.selectOption("#command", { label: "labinit" });
    const labinit = rows.forks.filter(({ comm }) => comm === "labinit").length;
    await expect.poll(() => page.textContent("#shown")).toContain(`${labinit} of ${rows.forks.length} forks`);
    await expect.poll(() => page.textContent("#plot-lazy-cpus")).toContain(`${labinit} (100.0%)`);
    await page.click("#controls button[type=reset]");
    await expect.poll(() => page.textContent("#shown")).toContain(`all ${rows.forks.length} forks`);
    await expect.poll(() => page.textContent("#plot-lazy-cpus")).not.toContain("(100.0%)");
  });

  test("the chosen policy is the one that over-time, denials and commands show", async () => {
    await page.selectOption("#policy", "users-only");
    const slow = rows.verdicts.filter(
      ({ policy, decision }) => policy === "users-only" && decision === "slow",
    ).length;
    await expect.poll(() => page.textContent("#plot-denials")).toContain(`of ${slow} slow`);
    await page.click("#controls button[type=reset]");
    await expect.poll(() => page.textContent("#plot-denials")).not.toContain(`of ${slow} slow`);
  });

  test("a brush over time sets the range and narrows the others", async () => {
    const plot = page.locator("#plot-over-time .background").first();
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.3);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.6, { steps: 5 });
    await page.mouse.up();
    await expect.poll(() => page.textContent("#shown")).toMatch(/show \d+ of/);
    const bins = await readTable(page, "over-time");
    let inside: (number | string)[][] = [];
    // The last movement of the pointer takes effect a moment later: range and count have to agree in the end.
    await expect
      .poll(async () => {
        const [from, to] = [Number(await page.inputValue("#from")), Number(await page.inputValue("#to"))];
        inside = bins.filter(([, at]) => Number(at) >= from && Number(at) <= to);
        const forks = inside.reduce((sum, row) => sum + Number(row[3]), 0);
        return (
          inside.length > 0 &&
          (await page.textContent("#shown"))?.includes(`show ${forks} of ${rows.forks.length} forks`)
        );
      })
      .toBe(true);
    const unsafe = inside.reduce((sum, row) => sum + Number(row[4]), 0);
    await expect.poll(() => page.textContent("#plot-policies")).toContain(`▲ ${unsafe} unsafe`);
    await page.click("#controls button[type=reset]");
    await expect.poll(() => page.textContent("#shown")).toContain("all");
  });

  test("a tooltip says what is under the pointer", async () => {
    const bar = page.locator("#plot-commands .mark-rect.role-mark > path").first();
    await bar.scrollIntoViewIfNeeded();
    await bar.hover();
    await expect.poll(() => page.locator("#tip").isVisible()).toBe(true);
    expect(await page.textContent("#tip")).toMatch(/command .*outcome /);
  });

  test("tables sort by a button in the heading", async () => {
    const head = page.locator("section[aria-labelledby=policies] table").first();
    const waits = async (): Promise<number[]> =>
      head
        .locator("tbody tr td:nth-child(8)")
        .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute("data-sort"))));
    const before = await waits();
    await head.locator("thead th:nth-child(8) button").press("Enter");
    expect(await waits()).toEqual([...before].sort((a, b) => b - a));
    expect(await head.locator("thead th:nth-child(8)").getAttribute("aria-sort")).toBe("descending");
    await head.locator("thead th:nth-child(8) button").press("Enter");
    expect(await waits()).toEqual([...before].sort((a, b) => a - b));
  });

  test("each unsafe fork has a stable anchor; each window drawn has lanes, shaded exposures, lines and the command", async () => {
    const unsafe = new Set(
      rows.verdicts
        .filter(({ decision, verdict }) => decision === "fast" && verdict === "unsafe")
        .map(({ fork }) => fork),
    );
    for (const fork of unsafe) {
      const article = page.locator(`article:has(> #fork-${fork})`);
      expect(await article.locator("svg.lanes rect.forker").count(), `fork ${fork}`).toBeGreaterThan(0);
      expect(await article.locator("svg.lanes rect.shade").count(), `fork ${fork}`).toBeGreaterThan(0);
      const text = (await article.textContent()) ?? "";
      expect(text).toContain(`forkcast explain DIR ${fork}`);
      for (const exposure of rows.exposures.filter((row) => row.fork === fork).slice(0, 12))
        expect(text).toContain(`.zst:${exposure.line}`);
    }
    expect(unsafe.size).toBeGreaterThan(10);
    expect(
      await page.locator("[id]").evaluateAll((all) => all.length - new Set(all.map(({ id }) => id)).size),
    ).toBe(0);
  });

  test("the spec of a chart is shown, with its data, and is the one drawn", async () => {
    await page.locator("#chart-denials details.spec summary").click();
    const spec = JSON.parse((await page.textContent("#chart-denials details.spec pre")) ?? "") as {
      datasets: { denials: { forks: number }[] };
    };
    expect(spec.datasets.denials.length).toBeGreaterThan(3);
  });

  test("CSV is the table", async () => {
    const href = (await page.getAttribute("#chart-commands a[download]", "href")) ?? "";
    const lines = decodeURIComponent(href.replace("data:text/csv;charset=utf-8,", ""))
      .trimEnd()
      .split("\r\n");
    expect(lines[0]).toBe('command,forks,"fast, safe","fast, unsure","fast, unsafe",slow,indeterminate');
    expect(lines.slice(1)).toEqual((await readTable(page, "commands")).map((row) => row.join(",")));
  });

  test.each([false, true])(
    "axe-core finds nothing serious, dark: %s",
    async (dark) => {
      await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
      const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
      await page.evaluate(source);
      const violations = await page.evaluate(
        `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")))`,
      );
      expect(violations).toEqual([]);
      await page.emulateMedia({ colorScheme: "light" });
    },
    60_000,
  );

  test("dark by setting and by button", async () => {
    const ground = async (): Promise<string> =>
      page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await ground();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.click("#theme");
    await page.click("#theme");
    expect(await page.textContent("#theme")).toBe("Theme: light");
    expect(await ground()).toBe(light);
    await page.click("#theme");
    await page.emulateMedia({ colorScheme: "light" });
    await page.click("#theme");
    expect(await ground()).toBe(dark);
    await page.click("#theme");
    await page.click("#theme");
  });

  test.each([360, 3840])(
    "%s px wide without horizontal scroll, charts as wide as their place",
    async (width) => {
      await page.setViewportSize({ width, height: 800 });
      await expect
        .poll(() => page.evaluate("document.documentElement.scrollWidth - innerWidth"))
        .toBeLessThanOrEqual(0);
      await expect
        .poll(() =>
          page.evaluate(
            "[...document.querySelectorAll('figure .plot')].filter((box) => box.scrollWidth > box.clientWidth + 1).length",
          ),
        )
        .toBe(0);
      await page.setViewportSize({ width: 1280, height: 900 });
    },
  );

  test("prints", async () => {
    const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
    expect(pdf.startsWith("%PDF-")).toBe(true);
    expect(pdf.match(/\/Type\s*\/Page\b/g)!.length).toBeGreaterThan(3);
  });

  test("the same tables give the same bytes", () => {
    const again = join(dir, "..", "again.html");
    expect(forkcast(["report", dir, "-o", again], { cwd: ROOT }).code).toBe(0);
    expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
  });

  test("without scripts the answer, the tables and the drawings are there", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, offline: true });
    const bare = await context.newPage();
    const copy = join(dir, "..", "bare.html");
    writeFileSync(copy, readFileSync(file));
    await bare.goto(`file://${copy}`);
    expect(await bare.locator(".answer").isVisible()).toBe(true);
    expect(await bare.locator("noscript").count()).toBe(1);
    expect(await bare.locator("svg.lanes").first().isVisible()).toBe(true);
    expect(await bare.locator("#controls").isVisible()).toBe(false);
    await context.close();
  });

  /** Wilson's bound to four digits, written from the formula's other form. */
  function bound(k: number, n: number, sign: 1 | -1): number {
    const z = 1.959963984540054;
    const root = z * Math.sqrt(z * z - 1 / n + 4 * n * (k / n) * (1 - k / n) + 1 / n);
    const value = (2 * k + z * z + sign * root) / (2 * (n + z * z));
    return Number(Math.min(1, Math.max(0, value)).toFixed(4));
  }
});
