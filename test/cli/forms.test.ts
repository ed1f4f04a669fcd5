// The forms of a result beside report.html: report --text and --markdown, chart, export --perfetto. Their figures are the
// summary's, hostile names stay text.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { briefText } from "../../src/analyze/brief-text.ts";
import type { Summary } from "../../src/analyze/summary.ts";
import { pngOf } from "../../src/cli/png.ts";
import { writeChart } from "../../src/cli/run-report.ts";
import { hasControls, hostileTrace } from "./hostile-trace.ts";
import { type CliResult, forkcast, recording, scratch } from "./run-cli.ts";

const cwd = scratch();
writeFileSync(join(cwd, "hostile.txt"), hostileTrace());
for (const [trace, dir] of [
  [recording("6.1/W5.trace-cmd.txt.zst"), "w5"],
  ["hostile.txt", "hostile"],
] as const) {
  expect(forkcast(["analyze", trace, "-o", dir], { cwd }).code).toBe(0);
}
const summary = JSON.parse(readFileSync(join(cwd, "w5", "summary.json"), "utf8")) as Summary;

function run(...args: string[]): string {
  const { code, stdout, stderr } = forkcast(args, { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

function expectUsage(result: CliResult, message: RegExp): void {
  expect({ code: result.code, stdout: result.stdout }).toEqual({ code: 2, stdout: "" });
  expect(result.stderr).toMatch(message);
  expect(result.stderr.trimEnd()).not.toContain("\n");
}

test("--text keeps under 78 columns and has the summary's figures", () => {
  const text = run("report", "w5", "--text");
  for (const line of text.split("\n")) expect(line.length).toBeLessThan(78);
  for (const [id, { fast, indeterminate, unsafe }] of Object.entries(summary.policies)) {
    const cells = new RegExp(`^${id} .*$`, "m").exec(text)?.[0].split(/ +/);
    expect([cells?.[0], cells?.[1], cells?.[4], cells?.[5]]).toEqual([
      id,
      ...[fast, indeterminate, unsafe].map(String),
    ]);
  }
  expect(text).toContain("Unsafe forks (15)");
  expect(text.match(/^- fork \d+, w5burst-1835/gm)).toHaveLength(15);
  run("report", "w5", "--text", "-o", "mail.txt");
  expect(readFileSync(join(cwd, "mail.txt"), "utf8")).toBe(text);
});

test("a table that is too wide becomes paragraphs, below 78 columns all the same", () => {
  const head = ["policy", "fast", "slow"];
  const block = (n: string) =>
    briefText([{ kind: "table", head, rows: [["mmap-lock", n, n]], numbers: [1, 2] }]);
  expect(block("1")).toBe("policy     fast  slow\nmmap-lock     1     1\n");
  const wide = block("1".repeat(40));
  expect(wide).toMatch(/^mmap-lock: fast 1{40}, slow\n {2}1{40}\n$/);
});

test("--markdown has the same rows; hostile names can neither mark up nor drive a terminal", () => {
  const markdown = run("report", "w5", "--markdown");
  expect(markdown).toContain("\n| counts-unlocked | 89 | 87.3 | 79.4-92.4 | 0 | 11 | 0 | 0 | - |\n");
  for (const form of ["--text", "--markdown"])
    expect(hasControls(run("report", "hostile", form))).toBe(false);
  expectUsage(
    forkcast(["report", "w5", "--text", "--markdown"], { cwd }),
    /^error: --text or --markdown, not both\n$/,
  );
});

test("chart writes one chart as SVG, PNG or its complete spec, lists them, and says no to others", async () => {
  const list = run("chart", "w5", "--list");
  const ids = list
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  expect(ids).toEqual(expect.arrayContaining(["policies", "over-time", "denials", "evidence"]));
  expect(run("chart", "w5", "policies", "-o", "p.svg")).toBe("chart: p.svg\n");
  const svg = readFileSync(join(cwd, "p.svg"), "utf8");
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  for (const id of Object.keys(summary.policies)) expect(svg).toContain(id);
  // In this process from here on: loading Vega in a new one takes longer than drawing.
  await writeChart(join(cwd, "w5"), "policies", join(cwd, "p.json"));
  const spec = JSON.parse(readFileSync(join(cwd, "p.json"), "utf8")) as { $schema: string; datasets: object };
  expect(spec.$schema).toContain("vega-lite");
  expect(Object.keys(spec.datasets).length).toBeGreaterThan(0);
  await writeChart(join(cwd, "hostile"), "commands", join(cwd, "c.svg"));
  const commands = readFileSync(join(cwd, "c.svg"), "utf8");
  expect(commands).not.toContain("</script>");
  expect(hasControls(commands)).toBe(false);
  const w5 = join(cwd, "w5");
  await expect(writeChart(w5, "policies", join(cwd, "p.gif"))).rejects.toThrow(
    /written as \.svg, \.png or \.json/,
  );
  const png = await pngOf(svg);
  expect(Buffer.from(png.subarray(0, 8)).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
  // IHDR: two pixels a point; the same picture is the same bytes.
  const size = /<svg [^>]*width="(\d+)" height="(\d+)"/.exec(svg);
  const header = Buffer.from(png.subarray(16, 24));
  expect([header.readUInt32BE(0), header.readUInt32BE(4)]).toEqual([1, 2].map((i) => 2 * Number(size?.[i])));
  expect(Buffer.from(await pngOf(svg)).equals(Buffer.from(png))).toBe(true);
  await expect(writeChart(w5, "nothing", "n.svg")).rejects.toThrow(
    /^unknown chart "nothing"; known: policies, /,
  );
  expectUsage(forkcast(["chart", "w5"], { cwd }), /^error: which chart\?/);
  expect(existsSync(join(cwd, "p.gif"))).toBe(false);
});

interface TimelineEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, unknown>>;
}

test("export --perfetto: every fork, exposure and wait is an event at its time", () => {
  const text = run("export", "w5", "--perfetto");
  const { traceEvents } = JSON.parse(text) as { traceEvents: TimelineEvent[] };
  const names = new Map(
    traceEvents
      .filter(({ name }) => name === "process_name")
      .map(({ pid, args }) => [pid, String(args["name"])]),
  );
  const of = (prefix: string): TimelineEvent[] =>
    traceEvents.filter(({ ph, pid }) => ph === "X" && (names.get(pid) ?? "").startsWith(prefix));
  expect(of("forks of ")).toHaveLength(102);
  for (const [id, { blocked }] of Object.entries(summary.policies)) {
    expect(of(`waits under ${id}`)).toHaveLength("events" in blocked ? blocked.events : 0);
  }
  expect(of("exposures").length).toBeGreaterThan(15);
  // The figures explain prints, in whole nanoseconds.
  const check = /check {4}(\d+)\.(\d{9})/.exec(run("explain", "w5", "0"));
  const first = /"name":"fork 0".*?"ts":(\d+\.\d{3})/.exec(text)?.[1];
  expect(first?.replace(".", "")).toBe(`${check?.[1]}${check?.[2]}`);
  expect(hasControls(run("export", "hostile", "--perfetto"))).toBe(false);
  expectUsage(forkcast(["export", "w5"], { cwd }), /^error: export to what\?/);
});
