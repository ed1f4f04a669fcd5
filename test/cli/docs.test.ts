// The documents against the program: every problem code is explained, the README's example is what one really gets.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ProblemKind } from "../../src/base/problem.ts";
import { CLI_PROBLEMS } from "../../src/cli/problems.ts";
import { INGEST_PROBLEMS } from "../../src/ingest/problems.ts";
import { REPLAY_PROBLEMS } from "../../src/replay/problems.ts";
import { forkcast, scratch } from "./run-cli.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

test.each([...CLI_PROBLEMS, ...INGEST_PROBLEMS, ...REPLAY_PROBLEMS])(
  "$code is in docs/formats.md",
  (kind: ProblemKind) => {
    expect(read("docs/formats.md")).toContain(
      `| \`${kind.code}\` | ${kind.severity} | ${kind.source} | ${kind.meaning} |`,
    );
  },
);

test("the README shows what its command prints", () => {
  const block = /```console\n\$ node dist\/cli\/main\.js (analyze [^\n]*)\n([\s\S]*?)```/.exec(
    read("README.md"),
  );
  const [, command = "", shown = ""] = block ?? [];
  const cwd = new URL(".", ROOT).pathname;
  const { code, stdout } = forkcast([...command.split(" "), "-o", `${scratch()}/forkcast-out`], { cwd });
  expect(code).toBe(0);
  expect(shown.split("\n").slice(0, -2)).toEqual(stdout.split("\n").slice(0, -2));
});
