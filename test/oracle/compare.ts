// Runs both replays over one table and lists where they contradict each other. Only what both claim is compared: an
// exact value against an exact value, a bound against a value, a decision where both have one.
import { replay } from "../../src/replay/index.ts";
import type { TraceMeta } from "../../src/table/event-batch.ts";
import {
  type ForkRow,
  newVerdictTables,
  type PolicyId,
  type VerdictTables,
} from "../../src/table/verdict-tables.ts";
import { gapsOf } from "./gaps.ts";
import type { Stream, TrueCheck } from "./generate.ts";
import { naiveReplay, type OracleFork } from "./naive.ts";
import { NEVER } from "./row-index.ts";
import { type Row, tableOf } from "./rows.ts";

export interface FastFork {
  readonly row: ForkRow;
  readonly verdicts: ReadonlyMap<
    string,
    {
      readonly decision: string;
      readonly verdict: string | null;
      readonly deniedBy: readonly string[];
      /** It rests on no lower bound. */
      readonly isExact: boolean;
      /** A call that the design delays comes into the window then: what the trace's own times say does not stand. */
      readonly isRejudged: boolean;
    }
  >;
  /** Causes that stand for what a holder may have held: nothing before the check shows it. */
  readonly possible: ReadonlySet<string>;
  readonly exposures: readonly {
    readonly class: string;
    readonly tid: number;
    readonly cpu: number;
    readonly start: number;
    readonly end: number;
  }[];
  readonly blocks: readonly {
    readonly policy: string;
    readonly kind: string;
    readonly tid: number;
    readonly at: number;
  }[];
}

/** The implementation under test, as a black box: its tables regrouped by fork, times relative to the epoch. */
export async function fastReplay(
  rows: readonly Row[],
  meta: TraceMeta,
  blind = false,
  batchRows = 4096,
): Promise<FastFork[]> {
  const tables = newVerdictTables();
  await replay(tableOf(rows, meta, batchRows), { blind }, tables, 0);
  const all = <K extends keyof VerdictTables>(name: K): ReturnType<VerdictTables[K]["row"]>[] =>
    Array.from(
      { length: tables[name].length },
      (_, i) => tables[name].row(i) as ReturnType<VerdictTables[K]["row"]>,
    );
  const at = (ns: bigint | null): number => Number((ns ?? 0n) - meta.epochNs);
  const verdicts = byFork(all("verdicts"));
  const exposures = byFork(all("exposures"));
  const blocks = byFork(all("blocks"));
  const possible = byFork(all("denials").filter(({ basis }) => basis === "possible"));
  return all("forks").map((row) => ({
    row,
    verdicts: new Map(
      (verdicts.get(row.fork) ?? []).map(({ policy, decision, verdict, denied_by, rejudged }) => [
        policy ?? "",
        {
          decision: decision ?? "",
          verdict,
          deniedBy: [...denied_by].sort(),
          isRejudged: rejudged !== null,
          isExact: row.mm_users_evidence !== "at-least" && row.mm_count_evidence !== "at-least",
        },
      ]),
    ),
    possible: new Set((possible.get(row.fork) ?? []).map(({ cause }) => cause ?? "")),
    exposures: (exposures.get(row.fork) ?? []).map((e) => ({
      class: e.class ?? "",
      tid: e.tid ?? -1,
      cpu: e.cpu ?? -1,
      start: at(e.start_ns),
      end: at(e.end_ns),
    })),
    blocks: (blocks.get(row.fork) ?? []).map((b) => ({
      policy: b.policy ?? "",
      kind: b.kind ?? "",
      tid: b.tid ?? -1,
      at: at(b.at_ns),
    })),
  }));
}

/** The rows of each fork, in their order. */
export function byFork<R extends { readonly fork: number | null }>(
  rows: readonly R[],
): Map<number | null, R[]> {
  const groups = new Map<number | null, R[]>();
  for (const row of rows) {
    const group = groups.get(row.fork);
    if (group === undefined) groups.set(row.fork, [row]);
    else group.push(row);
  }
  return groups;
}

/** Contradictions between the oracle and the implementation, one sentence each. */
export async function disagreements(rows: readonly Row[], meta: TraceMeta): Promise<string[]> {
  const oracle = naiveReplay(rows, { modern: isModern(meta), cpus: meta.cpus });
  const fast = await fastReplay(rows, meta);
  const out: string[] = [];
  const start = ({ row }: FastFork): number => Number((row.start_ns ?? 0n) - meta.epochNs);
  const end = ({ row }: FastFork): number | null =>
    row.end_ns === null ? null : Number(row.end_ns - meta.epochNs);
  const windows = oracle.map((fork) => `${fork.tid} ${fork.start} ${fork.end}`);
  const fastWindows = fast.map((fork) => `${fork.row.tid} ${start(fork)} ${end(fork)}`);
  const isPoint = (window: string): boolean => / (\d+) \1$/.test(window);
  // Where a fork's end is lost, or its beginning, two make one window or none: what is left is read one way by each.
  for (const [n, window] of windows.entries())
    if (oracle[n]!.watchedUntil === NEVER && !fastWindows.includes(window))
      out.push(`fork only the oracle sees: ${window}`);
  for (const [n, window] of fastWindows.entries())
    if (!isPoint(window) && !windows.includes(window) && !isIncomplete(fast[n]!))
      out.push(`fork the oracle does not see: ${window}`);
  const whole = gapsOf(rows, meta.cpus)[0]?.from ?? NEVER;
  for (const [n, fork] of oracle.entries()) {
    const other = fast[fastWindows.indexOf(windows[n]!)];
    if (other !== undefined)
      out.push(
        ...compareFork(fork, other, whole).map((text) => `line ${rows[fork.startRow]?.line}: ${text}`),
      );
  }
  return out;
}

function isIncomplete({ row }: FastFork): boolean {
  return row.doubts.includes("window-incomplete");
}

/** Whether a kernel release is 6.4 or later. */
export function isModern(meta: TraceMeta): boolean {
  const [major = 0, minor = 0] = meta.kernel.split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 4);
}

/** `whole`: the row at which the recording's first gap begins. The oracle forgets nothing in a gap: what it says later is not asked for. */
function compareFork(fork: OracleFork, fast: FastFork, whole: number): string[] {
  const clean = fork.endRow < whole;
  const known = fork.bornInTrace && fork.startRow < whole;
  const out = [
    ...compareBound("users", fork.derived.users, fast.row.derived_users, fast.row.derived_users_evidence),
    ...compareBound("count", fork.derived.count, fast.row.derived_count, fast.row.derived_count_evidence),
  ];
  if (known) out.push(...compareExposures(fork, fast));
  if (fork.bornInTrace && clean) out.push(...compareBlocks(fork, fast));
  for (const [policy, judgement] of fork.judgements) {
    // The oracle reads no sampled mask.
    if (policy === "cpumask" && !clean) continue;
    out.push(...compareJudgement(policy, judgement, fast, known));
  }
  return out;
}

function compareBound(
  name: string,
  oracle: { readonly value: number; readonly exact: boolean },
  value: number | null,
  evidence: string | null,
): string[] {
  if (value === null || evidence === "unknown") return [];
  const isExact = evidence === "derived";
  const text = `derived ${name}: oracle ${oracle.exact ? "=" : ">="}${oracle.value}, replay ${isExact ? "=" : ">="}${value}`;
  if (oracle.exact && isExact) return oracle.value === value ? [] : [text];
  if (oracle.exact) return value <= oracle.value ? [] : [text];
  return isExact && oracle.value > value ? [text] : [];
}

const LAZY: ReadonlySet<string> = new Set(["U4", "U4b"]);

function compareExposures(fork: OracleFork, fast: FastFork): string[] {
  if (fork.end === null) return [];
  const show = (e: FastFork["exposures"][number]): string =>
    `${e.class} tid ${e.tid} cpu ${e.cpu} ${e.start}..${e.end}`;
  const one = fork.exposures.map(show);
  // Of no length: both ends have one time stamp.
  const two = fast.exposures.filter((e) => !LAZY.has(e.class) && e.start < e.end).map(show);
  return [
    ...one.filter((text) => !two.includes(text)).map((text) => `exposure only the oracle sees: ${text}`),
    ...two.filter((text) => !one.includes(text)).map((text) => `exposure the oracle does not see: ${text}`),
  ];
}

const WAITING: readonly PolicyId[] = ["fork-lock", "mmap-lock", "users-mmap-lock"];

/** Calls a lock makes wait, from the check on; fork-lock is held from before copy_mm, which nobody is asked about here. */
function compareBlocks(fork: OracleFork, fast: FastFork): string[] {
  const out: string[] = [];
  for (const policy of WAITING) {
    if (fork.judgements.get(policy)?.decision !== "fast" || fast.verdicts.get(policy)?.decision !== "fast")
      continue;
    const show = (b: FastFork["blocks"][number]): string => `${policy} ${b.kind} tid ${b.tid} at ${b.at}`;
    // Which of two CPUs' events of the check's time stamp came first is not asked.
    const one = fork.blocked.filter((b) => b.policy === policy && b.at > fork.start).map(show);
    const two = fast.blocks.filter((b) => b.policy === policy && b.at > fork.start).map(show);
    out.push(
      ...one.filter((text) => !two.includes(text)).map((text) => `wait only the oracle sees: ${text}`),
    );
    out.push(
      ...two.filter((text) => !one.includes(text)).map((text) => `wait the oracle does not see: ${text}`),
    );
  }
  return out;
}

/**
 * A decision on a lower bound names only the causes that are certain. What the oracle leaves unattributed a later put may
 * have told the replay.
 */
function sameHolders(
  oracle: readonly string[],
  replay: readonly string[],
  { isExact, possible }: { readonly isExact: boolean; readonly possible: ReadonlySet<string> },
): boolean {
  const all = holders(oracle).split(",");
  if (!isExact) return replay.every((c) => all.includes(holders([c])));
  if (holders(oracle) === holders(replay)) return true;
  const certain = all.filter((cause) => cause !== "unattributed");
  const named = holders(replay).split(",");
  const extra = named.filter((cause) => !certain.includes(cause));
  return (
    all.includes("unattributed") &&
    certain.every((cause) => named.includes(cause)) &&
    extra.every((cause) =>
      holders([...possible])
        .split(",")
        .includes(cause),
    )
  );
}

/** The causes as text. A borrower's own get makes it a reader before and after it borrows: told apart by nobody's rule. */
function holders(causes: readonly string[]): string {
  return [...new Set(causes.map((cause) => (cause === "reader" ? "borrower" : cause)))].sort().join();
}

function compareJudgement(
  policy: PolicyId,
  oracle: {
    readonly decision: string;
    readonly verdict: string | null;
    readonly deniedBy: readonly string[];
    readonly inFlight: boolean;
  },
  fast: FastFork,
  comparesVerdict: boolean,
): string[] {
  const other = fast.verdicts.get(policy);
  if (other === undefined || other.decision === "indeterminate") return [];
  if (oracle.decision !== other.decision)
    return [
      `${policy}: oracle ${oracle.decision} (${oracle.deniedBy}), replay ${other.decision} (${other.deniedBy})`,
    ];
  if (
    comparesVerdict &&
    oracle.verdict !== "either" &&
    oracle.verdict !== other.verdict &&
    other.verdict !== "indeterminate"
  ) {
    return [`${policy}: oracle ${oracle.verdict}, replay ${other.verdict}`];
  }
  if (
    comparesVerdict &&
    !oracle.inFlight &&
    !sameHolders(oracle.deniedBy, other.deniedBy, { isExact: other.isExact, possible: fast.possible })
  ) {
    return [`${policy}: denied by: oracle ${oracle.deniedBy}, replay ${other.deniedBy}`];
  }
  return [];
}

/** The truth at a fork's check; none where two check points have its time stamp. */
function checkAt({ checks }: Stream, tid: number | null, ns: number): TrueCheck | undefined {
  const found = checks.filter((truth) => truth.tid === tid && truth.ns === ns);
  return found.length === 1 ? found[0] : undefined;
}

/** The same of the oracle, whose own rules are on trial here too. */
export function oracleUntruths(stream: Stream): string[] {
  const out: string[] = [];
  for (const fork of naiveReplay(stream.rows, { modern: isModern(stream.meta), cpus: stream.meta.cpus })) {
    const check = checkAt(stream, fork.tid, fork.start);
    if (check === undefined) continue;
    const where = `line ${stream.rows[fork.startRow]?.line}: oracle`;
    const word = (exact: boolean): string => (exact ? "derived" : "at-least");
    const { users, count } = fork.derived;
    if (!check.isHidden)
      out.push(...untrueBound(`${where} mm_users`, users.value, word(users.exact), check.users));
    out.push(...untrueBound(`${where} mm_count`, count.value, word(count.exact), check.count));
    if (check.isHidden || !fork.bornInTrace) continue;
    for (const [policy, { decision, verdict }] of fork.judgements) {
      const isFast = check.isFast.get(policy);
      if (isFast === null || isFast === undefined) continue;
      if ((decision === "fast") !== isFast) out.push(`${where} ${policy} ${decision}, not so`);
      else if (verdict === "safe" || verdict === "unsafe") {
        const isUnsafe = fork.end === null ? null : check.isUnsafe(policy, fork.end);
        if (isUnsafe !== null && isUnsafe !== (verdict === "unsafe"))
          out.push(`${where} ${policy} ${verdict}, not so`);
      }
    }
  }
  return out;
}

/** What the implementation says of a generated recording that is not true, one sentence each. */
export function untruths(stream: Stream, fast: readonly FastFork[]): string[] {
  const out: string[] = [];
  for (const fork of fast) {
    const ns = Number((fork.row.start_ns ?? 0n) - stream.meta.epochNs);
    const check = checkAt(stream, fork.row.tid, ns);
    if (check === undefined) continue;
    const where = `line ${fork.row.line}`;
    const { derived_users, derived_users_evidence, derived_count, derived_count_evidence } = fork.row;
    const bounds = [
      ...(check.isHidden
        ? []
        : untrueBound(`${where}: mm_users`, derived_users, derived_users_evidence, check.users)),
      ...untrueBound(`${where}: mm_count`, derived_count, derived_count_evidence, check.count),
    ];
    out.push(...bounds);
    // A wrong count makes wrong decisions: one root, one line.
    if (check.isHidden || bounds.length > 0) continue;
    for (const [policy, said] of fork.verdicts)
      out.push(...untrueVerdict(where, policy as PolicyId, said, fork, check, stream));
  }
  return out;
}

function untrueBound(what: string, value: number | null, evidence: string | null, truth: number): string[] {
  if (value === null || evidence === "unknown") return [];
  const isWrong = evidence === "derived" ? value !== truth : value > truth;
  return isWrong ? [`${what}: replay says ${evidence} ${value}, it was ${truth}`] : [];
}

function untrueVerdict(
  where: string,
  policy: PolicyId,
  said: { readonly decision: string; readonly verdict: string | null },
  fork: FastFork,
  check: TrueCheck,
  stream: Stream,
): string[] {
  const isFast = check.isFast.get(policy);
  if (said.decision === "indeterminate" || isFast === null || isFast === undefined) return [];
  if ((said.decision === "fast") !== isFast) {
    return [`${where}: ${policy}: replay says ${said.decision}, it was ${isFast ? "fast" : "slow"}`];
  }
  if (!isFast || fork.row.end_ns === null || said.verdict === "indeterminate") return [];
  const isUnsafe = check.isUnsafe(policy, Number(fork.row.end_ns - stream.meta.epochNs));
  if (isUnsafe === null) return [];
  const truth = isUnsafe ? "unsafe" : "safe";
  // Without switch_mm_irqs_off a use seems to begin a little early: only "safe" can then be held against the replay.
  if (said.verdict === truth || (said.verdict === "unsafe" && !stream.hasAllProbes)) return [];
  return [`${where}: ${policy}: replay says ${said.verdict}, it was ${truth}`];
}
