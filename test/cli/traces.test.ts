// The committed recordings against what their samples say is true (traces/manifest.json): right format, every fork
// found, sampled counts taken as they are, and no confident figure that contradicts a sample.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Summary } from "../../src/analyze/summary.ts";
import { decodeTable } from "../../src/table/table-file.ts";
import { FORK_SPEC, VERDICT_SPEC } from "../../src/table/verdict-tables.ts";
import { forkcast, recording, scratch } from "./run-cli.ts";

interface Truth {
  readonly forks: number;
  readonly forks_before_samples?: number;
  readonly sampled_1_1: number;
  readonly users_gt1: number;
  readonly count_gt1: number;
  readonly other_cpu_active: number;
  readonly fast_and_active: number;
  readonly fast_and_active_starts?: readonly string[];
}

interface Recording {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly format: string;
  readonly kernel: string;
  readonly cpus: number;
  readonly truth: Truth | null;
}

const { recordings } = JSON.parse(readFileSync(recording("manifest.json"), "utf8")) as {
  readonly recordings: readonly Recording[];
};
const out = scratch();
/** The sampling probe and the window's own probe sit on one function; a stalled vCPU can lie between the two. */
const SAMPLE_SKEW_S = 1e-3;

test("the manifest lists every recording, byte for byte", () => {
  const found = ["6.1", "6.12"].flatMap((dir) => readdirSync(recording(dir)).map((name) => `${dir}/${name}`));
  expect(recordings.map(({ file }) => file).sort()).toEqual(found.sort());
  for (const { file, sha256, bytes } of recordings) {
    const data = readFileSync(recording(file));
    expect([file, data.length, createHash("sha256").update(data).digest("hex")]).toEqual([
      file,
      bytes,
      sha256,
    ]);
  }
});

describe.each(recordings)("$file", ({ file, format, cpus, truth }) => {
  const dir = join(out, file.replaceAll("/", "_"));
  const { code, stdout, stderr } = forkcast(["analyze", recording(file), "-o", dir, "--json"]);
  const summary = JSON.parse(code === 0 ? stdout : "{}") as Summary;

  test("is read as what it is", () => {
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(summary.traces).toMatchObject([{ format, cpus }]);
    expect(summary.traces[0]?.problems.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("every fork has one row, one decision a policy", () => {
    if (truth !== null) expect(summary.forks.total).toBe(truth.forks + (truth.forks_before_samples ?? 0));
    for (const { fast, slow, indeterminate } of Object.values(summary.policies)) {
      expect(fast + slow + indeterminate).toBe(summary.forks.total);
    }
    expect(summary.forks.total).toBeGreaterThan(0);
  });

  test("confident counts agree with the samples", () => {
    const { mm_users, mm_count } = summary.agreement;
    expect(mm_users.equal).toBe(mm_users.compared);
    expect(mm_count.equal).toBe(mm_count.compared);
  });

  test.skipIf(truth === null || file.includes("stock"))("sampled counts decide", () => {
    const forks = decodeTable(readFileSync(join(dir, "tables", "forks.arrow")), FORK_SPEC);
    const rows = Array.from({ length: forks.length }, (_, i) => forks.row(i));
    expect(
      rows.every((row) => row.mm_users_evidence === "measured" && row.mm_count_evidence === "measured"),
    ).toBe(true);
    const figures = {
      sampled_1_1: rows.filter((row) => row.mm_users === 1 && row.mm_count === 1).length,
      users_gt1: rows.filter((row) => (row.mm_users ?? 0) > 1).length,
      count_gt1: rows.filter((row) => (row.mm_count ?? 0) > 1).length,
    };
    expect(truth).toMatchObject(figures);
    expect(summary.policies["counts-unlocked"]?.fast).toBe(truth?.sampled_1_1);
  });

  test.skipIf(truth === null || file.includes("stock"))(
    "the unsafe forks are those another CPU ran into",
    () => {
      const policy = summary.policies["counts-unlocked"];
      expect([policy?.unsafe, policy?.unsafe_indeterminate]).toEqual([truth?.fast_and_active, 0]);
      if (truth?.fast_and_active_starts === undefined) return;
      const forks = decodeTable(readFileSync(join(dir, "tables", "forks.arrow")), FORK_SPEC);
      const verdicts = decodeTable(readFileSync(join(dir, "tables", "verdicts.arrow")), VERDICT_SPEC);
      const starts: number[] = [];
      for (let i = 0; i < verdicts.length; i++) {
        const { fork, policy: id, verdict } = verdicts.row(i);
        if (id === "counts-unlocked" && verdict === "unsafe")
          starts.push(Number(forks.get("start_ns", fork ?? 0)) / 1e9);
      }
      for (const [i, start] of truth.fast_and_active_starts.entries()) {
        expect(Math.abs((starts[i] ?? 0) - Number(start))).toBeLessThan(SAMPLE_SKEW_S);
      }
    },
  );
});
