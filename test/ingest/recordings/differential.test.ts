// Binary recordings against the tools that wrote them: the rows forkcast decodes are those it reads from what
// `trace-cmd report -R -t` and `perf script --ns` print, in every field, to the nanosecond. expected.json holds what the
// tools printed (outside.ts wrote it); FORKCAST_LIVE=1 asks them again where they are installed.
import { readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readRecording } from "../../support/recording-digest.ts";
import { bytesOf, EXPECTED, type Expected, printed, recordings, versionOf } from "./outside.ts";

const expected = JSON.parse(readFileSync(EXPECTED, "utf8")) as Record<string, Expected>;
const found = recordings();
// The larger ones take most of a minute: FORKCAST_RECORDINGS=all reads them too.
const wanted = found.filter(
  ({ path }) => process.env["FORKCAST_RECORDINGS"] === "all" || statSync(path).size < 1_120_000,
);
const isLive = process.env["FORKCAST_LIVE"] === "1";

describe("stored expectations", () => {
  test("every recording here has one", () => {
    expect(found.map(({ name }) => name).filter((name) => expected[name] === undefined)).toEqual([]);
  });
  test.each(wanted)("$name", async ({ name, path }) => {
    const { digest } = readRecording(await bytesOf(path));
    expect(digest).toEqual(expected[name]?.digest);
  });
});

describe.skipIf(!isLive)("live", () => {
  test.each(found)("$name", { timeout: 300_000 }, async (recording) => {
    expect(versionOf(recording.tool)).not.toBe("");
    const { digest } = readRecording(await bytesOf(recording.path));
    expect(digest).toEqual(await printed(recording));
  });
});
