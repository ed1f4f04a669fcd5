// npm run docs:explorer: what the explorer finds for each policy within the default bound and under each assumption about the
// hardware, with states, depth and time of this machine; writes the table of docs/explorer.md.
import { readFileSync, writeFileSync } from "node:fs";
import { type Bound, DEFAULT_BOUND, type ExploreAssumption } from "../src/replay/explore/bound.ts";
import { type Exploration, explore } from "../src/replay/explore/index.ts";
import { POLICIES } from "../src/replay/policies/index.ts";
import type { Policy } from "../src/replay/policies/policy.ts";
import { fillPage } from "./model/page.ts";

const PAGE = new URL("../docs/explorer.md", import.meta.url);
const HARDWARE: readonly (readonly ExploreAssumption[])[] = [
  [],
  ["lazy-sets-dirty"],
  ["preempt-rt"],
  ["lazy-sets-dirty", "preempt-rt"],
];

function cells(policy: Policy, assume: readonly ExploreAssumption[]): string {
  const bound: Bound = { ...DEFAULT_BOUND, assume };
  const start = performance.now();
  const found = explore(policy, bound);
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  return `${outcome(found)} | ${found.states} | ${found.depth} | ${seconds}`;
}

function outcome({ outcome: word, unsafe }: Exploration): string {
  return unsafe === undefined ? word : `unsafe, ${unsafe.steps.length} steps`;
}

const head = ["policy", "assumed", "result", "states", "depth", "seconds"];
const rows = POLICIES.flatMap((policy) =>
  HARDWARE.map((assume) => `| \`${policy.id}\` | ${assume.join(", ") || "–"} | ${cells(policy, assume)} |`),
);
const table = [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...rows].join("\n");
writeFileSync(PAGE, fillPage(readFileSync(PAGE, "utf8"), new Map([["measured", table]])));
