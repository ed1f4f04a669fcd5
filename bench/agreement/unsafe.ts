// Precision and recall of `unsafe`, per policy, against X.truth.csv: whether another CPU ran the mm at the check (hardware
// sample) or began to inside the window (every switch_mm_irqs_off). Which of those entries a lock would have kept out is
// read off the truth's own counts of kthread_use_mm and get_task_mm calls in the window.
import { type ForkRow, POLICY_IDS, type PolicyId } from "../../src/table/verdict-tables.ts";
import { type Outcome, run, type Trace } from "../../test/replay/recordings.ts";
import { declaredFor, type TrueFork, truthOf } from "./recordings.ts";

/** What was true of one fork under one policy; unsafe null: the truth's columns do not tell. */
interface Truth {
  readonly fast: boolean;
  readonly unsafe: boolean | null;
}

interface Figures {
  fast: number;
  unsafe: number;
  found: number;
  missedAsSafe: number;
  undecided: number;
  calledSlow: number;
  falseUnsafe: number;
  openUnsafe: number;
}

const LISTED = 40;

export class Unsafe {
  readonly #seeing = new Map<PolicyId, Figures>();
  readonly #blind = new Map<PolicyId, Figures>();
  readonly #lines: string[] = [];
  readonly #odd: string[] = [];
  #forks = 0;
  #unpaired = 0;
  #afterFlush = 0;

  async add(file: string, trace: Trace, seeing: Outcome): Promise<void> {
    const truth = truthOf(file);
    if (truth === undefined) return;
    const name = file.split("/").slice(-3).join("/").replace(".zst", "");
    const blind = await run(trace, { blind: true, assume: declaredFor(file) });
    const own = new Map<PolicyId, Figures>();
    for (const fork of truth) {
      this.#forks++;
      const row = pair(seeing, fork);
      if (row === undefined) {
        this.#unpaired++;
        continue;
      }
      if (fork.entries.some((at) => at >= Number(row.end_ns))) this.#afterFlush++;
      for (const policy of POLICY_IDS) {
        const right = truthFor(policy, fork, row);
        this.#judge(this.#seeing, policy, right, seeing, row, `${name}:${row.line}`);
        this.#judge(own, policy, right, seeing, row, null);
        const other = pair(blind, fork);
        if (other !== undefined)
          this.#judge(this.#blind, policy, right, blind, other, `${name}:${row.line} blind`);
      }
    }
    const cells = POLICY_IDS.slice(1).map((policy) => {
      const f = own.get(policy) ?? none();
      return `${f.found}/${f.unsafe}${f.falseUnsafe > 0 ? ` +${f.falseUnsafe}` : ""}`.padStart(10);
    });
    this.#lines.push(`${name.padEnd(46)} ${String(truth.length).padStart(5)} ${cells.join(" ")}`);
  }

  #judge(
    into: Map<PolicyId, Figures>,
    policy: PolicyId,
    right: Truth,
    ours: Outcome,
    fork: ForkRow,
    place: string | null,
  ): void {
    const f = into.get(policy) ?? none();
    into.set(policy, f);
    const claim = ours.verdicts(policy)[fork.fork ?? -1];
    if (claim === undefined) return;
    if (right.fast) f.fast++;
    const says = (claim.decision === "fast" ? claim.verdict : claim.decision) ?? "";
    const what = right.fast && right.unsafe === true ? recall(f, says) : precision(f, right, says);
    if (what !== null && place !== null) this.#odd.push(`${place} ${policy}: ${what}`);
  }

  print(): void {
    const head =
      "policy             true fast  true unsafe  found  called safe  slow  undecided  false unsafe  open";
    for (const [what, figures] of [
      ["with the samples", this.#seeing],
      ["blind", this.#blind],
    ] as const) {
      console.log(`unsafe, ${what}: ${this.#forks} forks, ${this.#unpaired} without a row`);
      console.log(head);
      for (const policy of POLICY_IDS) console.log(line(policy, figures.get(policy) ?? none()));
      console.log("");
    }
    console.log(
      `forks with an entry between the end of the flush and gt_fork_ret, outside the window: ${this.#afterFlush}\n`,
    );
    console.log(
      `found/true unsafe ${" ".repeat(28)} forks ${POLICY_IDS.slice(1)
        .map((id) => id.slice(0, 10).padStart(10))
        .join(" ")}`,
    );
    for (const text of this.#lines) console.log(text);
    for (const text of this.#odd.slice(0, LISTED)) console.log(text);
    if (this.#odd.length > LISTED) console.log(`and ${this.#odd.length - LISTED} more`);
  }
}

/** A fork that was unsafe: what became of it, and a remark when that is worth a look. */
function recall(f: Figures, says: string): string | null {
  f.unsafe++;
  if (says === "unsafe") f.found++;
  else if (says === "safe") f.missedAsSafe++;
  else if (says === "slow") f.calledSlow++;
  else f.undecided++;
  return says === "safe" || says === "slow" ? `unsafe in truth, called ${says}` : null;
}

/** A fork that was not, or of which the truth's columns do not tell. */
function precision(f: Figures, right: Truth, says: string): string | null {
  if (says !== "unsafe") return null;
  if (right.unsafe === null) {
    f.openUnsafe++;
    return "called unsafe; a get_task_mm() came inside too: by the truth's columns it may have waited";
  }
  f.falseUnsafe++;
  return right.fast ? "called unsafe, nobody there in truth" : "called unsafe, slow in truth";
}

function none(): Figures {
  return {
    fast: 0,
    unsafe: 0,
    found: 0,
    missedAsSafe: 0,
    undecided: 0,
    calledSlow: 0,
    falseUnsafe: 0,
    openUnsafe: 0,
  };
}

function line(policy: string, f: Figures): string {
  return [
    policy.padEnd(18),
    String(f.fast).padStart(9),
    String(f.unsafe).padStart(12),
    String(f.found).padStart(6),
    String(f.missedAsSafe).padStart(12),
    String(f.calledSlow).padStart(5),
    String(f.undecided).padStart(10),
    String(f.falseUnsafe).padStart(13),
    String(f.openUnsafe).padStart(5),
  ].join(" ");
}

/** The fork row of the same task whose check is nearest to the truth's, inside its window or just before. */
function pair(outcome: Outcome, fork: TrueFork): ForkRow | undefined {
  const near = outcome.forks.filter(
    ({ tid, start_ns, end_ns }) =>
      tid === fork.tid && Number(start_ns) <= fork.end && Number(end_ns ?? start_ns) >= fork.begin,
  );
  const distance = ({ start_ns }: ForkRow): number => Math.abs(Number(start_ns) - fork.begin);
  return near.sort((a, b) => distance(a) - distance(b))[0];
}

function truthFor(policy: PolicyId, fork: TrueFork, { end_ns }: ForkRow): Truth {
  const { users, count, active, lazy, useMm, getTaskMm } = fork;
  // The window ends with the flush; the truth's reaches to gt_fork_ret.
  const entries = fork.entries.filter((at) => end_ns === null || at < Number(end_ns));
  const somebody = active.length > 0 || entries.length > 0;
  const both = users === 1 && count === 1;
  /** Somebody whom holding up `calls` calls inside the window would not have kept out; null: some of each. */
  const despite = (calls: number): boolean | null => {
    if (active.length > 0) return true;
    if (entries.length === 0) return false;
    return calls === 0;
  };
  switch (policy) {
    case "always-atomic":
      return { fast: false, unsafe: false };
    case "mm-count-only":
      return { fast: count === 1, unsafe: somebody };
    case "counts-unlocked":
      return { fast: both, unsafe: somebody };
    case "users-only":
      return { fast: users === 1, unsafe: somebody };
    case "get-task-mm":
      return { fast: both, unsafe: entries.length > 0 && getTaskMm > 0 ? null : despite(getTaskMm) };
    case "fork-lock":
    case "mmap-lock":
      return { fast: both, unsafe: despite(useMm) };
    case "users-mmap-lock":
      // A borrower that is inside at the check has raised mm_users.
      return { fast: users === 1 && active.length === 0, unsafe: despite(useMm) };
    case "cpumask":
      return { fast: active.length === 0 && lazy.length === 0, unsafe: somebody };
  }
}
