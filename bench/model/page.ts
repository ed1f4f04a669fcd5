// The generated parts of docs/model.md: pictures and tables of the model's states and transitions with the number of times
// the committed recordings take them, and of the nine policies with what they make of the recorded forks. Pure text;
// bench/model.ts writes it into the page, test/replay/transitions.test.ts compares.
import { EXPOSURE_MEANING } from "../../src/analyze/charts/exposures.ts";
import { RULES } from "../../src/replay/model/kernel-rules.ts";
import { POLICIES } from "../../src/replay/policies/index.ts";
import type { Check, Policy } from "../../src/replay/policies/policy.ts";
import { EXPOSURE_CLASSES, type PolicyId } from "../../src/table/verdict-tables.ts";
import type { Outcome } from "../../test/replay/recordings.ts";
import { CPU_STATES, type Machine, MM_STATES, TASK_STATES, type Transition } from "./states.ts";
import type { ModelTally } from "./tally.ts";
import { TRANSITIONS } from "./transitions.ts";

const START = /^<!-- generated:(\S+) -->$/;
const END = "<!-- /generated -->";

/** `page` with the text between its markers replaced. Throws when a marker or a part is missing. */
export function fillPage(page: string, parts: ReadonlyMap<string, string>): string {
  const left = new Set(parts.keys());
  const out: string[] = [];
  let skipping = false;
  for (const line of page.split("\n")) {
    if (line === END) skipping = false;
    if (skipping) continue;
    out.push(line);
    const name = START.exec(line)?.[1];
    if (name === undefined) continue;
    const part = parts.get(name);
    if (part === undefined) throw new Error(`no part named ${name}`);
    left.delete(name);
    out.push("", part, "");
    skipping = true;
  }
  if (skipping || left.size > 0) throw new Error(`the page lacks markers: ${[...left].join(", ") || END}`);
  return out.join("\n");
}

/** All parts by name. */
export function modelParts(tally: ModelTally, outcomes: readonly Outcome[]): Map<string, string> {
  const machine = (name: Machine, states: Readonly<Record<string, string>>): string =>
    [stateTable(states), picture(tally, name), transitionTable(tally, name)].join("\n\n");
  return new Map([
    ["cpu", machine("cpu", CPU_STATES)],
    ["task", machine("task", TASK_STATES)],
    ["mm", machine("mm", MM_STATES)],
    ["ledger", transitionTable(tally, "ledger")],
    ["versions", versionTable()],
    ["policies", policyTable(outcomes)],
    ["exposures", exposureTable(outcomes)],
    ["contradicted", contradicted(tally)],
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

function stateTable(states: Readonly<Record<string, string>>): string {
  return table(
    ["state", "meaning"],
    Object.entries(states).map(([name, what]) => [`*${name}*`, what]),
  );
}

function rowsOf(machine: Machine): readonly Transition[] {
  return TRANSITIONS.filter((row) => row.machine === machine);
}

/** A Mermaid state diagram: one arrow a row and pair of states, with the times the recordings take it. */
function picture(tally: ModelTally, machine: Machine): string {
  const arrows = rowsOf(machine).flatMap((row) =>
    [...(tally.rows.get(row)?.taken ?? [])].map(([pair, n]) => {
      const [from = "", to = ""] = pair.split(" ");
      return `  ${stateId(from)} --> ${stateId(to)}: ${row.name} (${n})`;
    }),
  );
  const named = new Set(
    arrows.flatMap((arrow) =>
      arrow
        .trim()
        .split(/ --> |: /)
        .slice(0, 2),
    ),
  );
  const aliases = [...named]
    .filter((id) => id.includes("_"))
    .map((id) => `  state "${id.replace("_", "-")}" as ${id}`);
  return ["```mermaid", "stateDiagram-v2", ...aliases, ...arrows, "```"].join("\n");
}

function stateId(name: string): string {
  return name === "none" ? "[*]" : name.replace("-", "_");
}

function transitionTable(tally: ModelTally, machine: Machine): string {
  const isLedger = machine === "ledger";
  const head = isLedger
    ? ["what", "ledger", "shown by", "effect", "kernel function", "taken", "first at"]
    : ["transition", "from", "to", "shown by", "effect", "kernel function", "taken", "first at"];
  const rows = rowsOf(machine).map((row) => {
    const own = tally.rows.get(row);
    const taken = [...(own?.taken.values() ?? [])].reduce((sum, n) => sum + n, 0);
    const states = isLedger ? [`${row.from[0]} ${row.to[0]}`] : [listed(row.from), listed(row.to)];
    return [
      row.name,
      ...states,
      row.by.includes("*") ? "any event" : row.by.join(", "),
      row.effect,
      row.kernel,
      taken === 0 ? "fixture" : String(taken),
      own?.first ?? "never",
    ];
  });
  return table(head, rows);
}

function listed(states: readonly string[]): string {
  return states.length > 3 ? "any" : states.join(", ");
}

function versionTable(): string {
  return table(
    ["from", "rule", "where"],
    RULES.map(({ since, what, source }) => [`${Math.floor(since / 1000)}.${since % 1000}`, what, source]),
  );
}

/** What a check says when all is as a fork on its own finds it. */
const ALONE = { users: 1, count: 1, borrowers: 0, otherCpus: 0 } as const;
const READ_AS: Readonly<Record<keyof typeof ALONE, string>> = {
  users: "mm_users = 1",
  count: "mm_count = 1",
  borrowers: "no borrower",
  otherCpus: "no other CPU in mm_cpumask",
};

/** Asks the policy itself: which of the four, one more than alone, makes it slow? */
function fastIff(policy: Policy): string {
  const checkOf = (change: Partial<Record<keyof typeof ALONE, number>>): Check => {
    const values = { ...ALONE, ...change };
    const exactly = (value: number): Check["users"] => ({ value, exact: true });
    const { users, count, borrowers, otherCpus } = values;
    return {
      users: exactly(users),
      count: exactly(count),
      borrowers: exactly(borrowers),
      otherCpus: exactly(otherCpus),
    };
  };
  if (policy.decide(checkOf({})) !== "fast") return "never";
  const names = (Object.keys(ALONE) as (keyof typeof ALONE)[]).filter(
    (name) => policy.decide(checkOf({ [name]: ALONE[name] + 1 })) === "slow",
  );
  return names.map((name) => READ_AS[name]).join(", ");
}

const CHECKED_AT: Readonly<Record<Policy["holds"], string>> = {
  nothing: "before copy_mm(), no lock",
  copy_mm: "before copy_mm(), its own lock held",
  mmap_lock: "in dup_mmap(), mmap_lock held for write",
};

/** Who of those that came after the check is kept out until the window is over, asked of the policy itself. */
function keepsOut(policy: Policy): string {
  const out: string[] = [];
  if (policy.keepsOut({ borrowedInside: true, gotInside: false })) out.push("a borrow that begins inside");
  if (policy.keepsOut({ borrowedInside: false, gotInside: true }))
    out.push("a get that begins inside and finds both counts 1");
  return out.join("; ") || "nobody";
}

function policyTable(outcomes: readonly Outcome[]): string {
  const rows = POLICIES.map((policy) => {
    const verdicts = outcomes.flatMap((outcome) => outcome.verdicts(policy.id as PolicyId));
    const count = (column: "decision" | "verdict", value: string): string =>
      String(
        verdicts.filter((row) => row[column] === value && (column === "decision" || row.decision === "fast"))
          .length,
      );
    const waits = policy.serialises.map((name) => `${name}()`).join(", ") || "–";
    return [
      `\`${policy.id}\``,
      fastIff(policy),
      CHECKED_AT[policy.holds],
      policy.waitsOnlyWhenFast ? `${waits}, while the fork is fast` : waits,
      keepsOut(policy),
      count("decision", "slow"),
      count("decision", "indeterminate"),
      count("decision", "fast"),
      count("verdict", "safe"),
      count("verdict", "unsafe"),
      count("verdict", "indeterminate"),
    ];
  });
  const head =
    "policy, fast iff, checked, who waits, keeps out, slow, undecided, fast, safe, unsafe, cannot tell".split(
      ", ",
    );
  return table(head, rows);
}

function exposureTable(outcomes: readonly Outcome[]): string {
  const forks = outcomes.flatMap((outcome) => outcome.forks);
  const intervals = outcomes.flatMap((outcome) => outcome.exposures);
  return table(
    ["class", "meaning", "forks whose worst it is", "intervals"],
    EXPOSURE_CLASSES.map((name) => [
      name,
      EXPOSURE_MEANING[name] ?? "",
      String(forks.filter(({ exposure }) => exposure === name).length),
      String(intervals.filter((row) => row.class === name).length),
    ]),
  );
}

function contradicted({ contradicted }: ModelTally): string {
  return `After lost events ${contradicted} changes of state in the committed recordings are no row of these tables: an event contradicts what was taken for known before the gap showed.`;
}
