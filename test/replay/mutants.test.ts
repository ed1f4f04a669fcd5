// bench/mutants/list.ts names places of the sources by their text: a change there must not leave a mutant behind.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { MUTANTS } from "../../bench/mutants/list.ts";

test.each(MUTANTS)("$rule: its place is there, once", ({ file, find }) => {
  const source = readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), "utf8");
  expect(source.split(find)).toHaveLength(2);
});
