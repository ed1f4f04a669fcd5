// Task names made to break out of their place: in the page, its tooltips, its CSV and its specs they stay text.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Papa from "papaparse";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { printable } from "../../src/analyze/plain-text.ts";
import { ZstdDecoder } from "../../src/cli/zstd-decoder.ts";
import { forkcast, recording, scratch } from "../cli/run-cli.ts";
import { CHROME, launch, open, readTable } from "./browser.ts";
import { readRows } from "./recount.ts";

/** At most 15 bytes each, as TASK_COMM_LEN allows; latin1 stands for bytes. */
const NAMES = [
  ["<img src=x o=1>", "</script>", "\xff".repeat(15)],
  ["=cmd|' /C a'!A", "\x1b[2J\x07\x08", "\xe2\x80\xaeabc\xe2\x81\xa6"],
  ["'\"><svg/onload", "javascript:a(1)", "constructor"],
] as const;

async function text(): Promise<string> {
  const parts: Uint8Array[] = [];
  const decoder = new ZstdDecoder((bytes) => parts.push(bytes.slice()));
  await decoder.push(readFileSync(recording("6.1/W6.ftrace.txt.zst")));
  await decoder.end();
  return Buffer.concat(parts).toString("latin1");
}

describe.skipIf(CHROME === undefined)("hostile task names", () => {
  const cwd = scratch();
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
  });

  test.each(NAMES)("%j, %j, %j", async (...names) => {
    let trace = await text();
    for (const [i, comm] of ["hopper", "bash", "labinit"].entries()) {
      // The kernel prints a name as %16s in front of the pid, as it is elsewhere.
      trace = trace.replace(new RegExp(`^ *${comm}-`, "gm"), () => `${names[i]!.padStart(16)}-`);
      trace = trace.replaceAll(comm, () => names[i]!);
    }
    writeFileSync(join(cwd, "t.txt"), trace, "latin1");
    const { code, stderr } = forkcast(["analyze", "t.txt", "-o", "out"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { page, complaints, requests } = await open(browser, join(cwd, "out", "report.html"), {
      width: 360,
    });
    expect({ complaints, requests }).toEqual({ complaints: [], requests: [] });
    expect(await page.locator("img, svg[onload], iframe").count()).toBe(0);
    const comms = new Set(readRows(join(cwd, "out")).forks.map(({ comm }) => printable(comm!)));
    expect(comms.size).toBe(3);
    expect(new Set((await readTable(page, "commands")).map(([name]) => name))).toEqual(comms);
    const plot = (await page.textContent("#plot-commands")) ?? "";
    for (const comm of comms) expect(plot).toContain(comm);
    const first = [...comms][0]!;
    await page.selectOption("#command", { label: first });
    await expect.poll(() => page.textContent("#shown")).toMatch(/show \d+ of/);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    const href = (await page.getAttribute("#chart-commands a[download]", "href")) ?? "";
    const { data } = Papa.parse<string[]>(decodeURIComponent(href.slice(href.indexOf(",") + 1)).trimEnd());
    expect(data).toHaveLength(4);
    for (const [name] of data.slice(1)) {
      expect(name).not.toMatch(/^[=+\-@]|\p{C}/u);
      expect(comms).toContain(name!.replace(/^'(?==)/, ""));
    }
    await page.context().close();
  });
});
