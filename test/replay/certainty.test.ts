// Less of a recording is never known better: random recordings without their beginning, or with an event that says some
// were lost, against the whole, for every policy. FORKCAST_STREAMS=1000 looks at more, FORKCAST_FIRST_STREAM=1001 at others;
// a failure names the seed.
import { expect, test } from "vitest";
import { NO_MM, NO_VALUE, NONE } from "../../src/table/event-batch.ts";
import { EVENT_KIND_NAMES, EventKind } from "../../src/table/event-kinds.ts";
import { type FastFork, fastReplay, untruths } from "../oracle/compare.ts";
import { generate, type Stream } from "../oracle/generate.ts";
import { random } from "../oracle/kernel.ts";
import type { Row } from "../oracle/rows.ts";
import { seedsToTry } from "../oracle/seeds.ts";

const SEEDS = seedsToTry(50);
const CUTS_PER_STREAM = 2;
const LISTED = 12;

/** What is said of a fork, by "TID..END child TID policy": it is known by its window's end, its check may be cut off. */
type Said = ReadonlyMap<string, SaidOne>;

interface SaidOne {
  readonly word: string;
  readonly isRevocable: boolean;
  /** "TID from START policy": where its end is cut off, it is known by its check. */
  readonly start: string;
}

interface Case {
  readonly stream: Stream;
  /** The recorder's word for a gap is gone with the rest. */
  readonly tellsLess: boolean;
  readonly whole: Said;
  readonly forks: readonly FastFork[];
  readonly ours: Said;
}

/**
 * Doubts that an event puts on forks before or after it. Without the event nothing tells of them: a borrow that proves a
 * hidden holder of the mm, a put that proves a hidden get, a get that was entered, a file that was opened, the recorder's word for a gap.
 */
const BY_EVENT: ReadonlySet<string> = new Set([
  "hidden-holder",
  "hidden-get",
  "unfinished-get",
  "proc-fd",
  "lost-events",
  "window-incomplete",
]);

function saidOf(forks: readonly FastFork[]): Said {
  return new Map(
    forks.flatMap(({ row, verdicts }) =>
      [...verdicts].map(([policy, { decision, verdict, isRejudged }]) => [
        `${row.tid}..${row.end_ns} child ${row.child_tid} ${policy}`,
        {
          word: verdict ?? decision,
          start: `${row.tid} from ${row.start_ns} ${policy}`,
          isRevocable: isRejudged || row.doubts.some((doubt) => BY_EVENT.has(doubt)),
        },
      ]),
    ),
  );
}

/** Forks called `verdict` where the whole recording says one of `before`. */
function became(verdict: string, before: readonly string[], { whole, ours }: Case): string[] {
  return [...ours].flatMap(([fork, now]) =>
    now.word === verdict && before.includes(whole.get(fork)?.word ?? "")
      ? [`${fork}: ${now.word}, was ${whole.get(fork)?.word}`]
      : [],
  );
}

/** Forks called `verdict` where the whole recording is uncertain, other than for an event that is missing here. */
function becameSure(verdict: string, of: Case): string[] {
  if (of.tellsLess) return [];
  return became(verdict, ["indeterminate"], of).filter(
    (text) => of.whole.get(forkIn(text))?.isRevocable !== true,
  );
}

/** Forks called unsafe that the whole recording does not call so. Two that a gap makes one have the check of the first. */
function becameUnsafe(of: Case): string[] {
  const unsafe = new Set(
    [...of.whole.values()].flatMap(({ word, start }) => (word === "unsafe" ? [start] : [])),
  );
  return [...became("unsafe", ["safe", "slow"], of), ...becameSure("unsafe", of)].filter(
    (text) => !unsafe.has(of.ours.get(forkIn(text))?.start ?? ""),
  );
}

/** The fork that `became` tells of. */
function forkIn(text: string): string {
  return text.slice(0, text.indexOf(":"));
}

/** What is claimed without warrant. Every claim is held against what was true in the kernel as well. */
function overclaims(of: Case): string[] {
  return [
    ...becameUnsafe(of),
    ...became("safe", ["unsafe", "slow"], of),
    ...becameSure("safe", of),
    ...untruths(of.stream, of.forks),
  ];
}

async function overStreams(change: (rows: readonly Row[], chance: () => number) => Row[]): Promise<string[]> {
  const found: string[] = [];
  for (const seed of SEEDS) {
    const stream = generate(seed);
    const { rows, meta, label } = stream;
    const whole = saidOf(await fastReplay(rows, meta));
    const chance = random(seed);
    for (let cut = 0; cut < CUTS_PER_STREAM; cut++) {
      const less = change(rows, chance);
      const kinds = EVENT_KIND_NAMES.map((_, kind) => less.filter((row) => row.kind === kind).length);
      const forks = await fastReplay(less, { ...meta, kinds, rows: less.length });
      for (const text of overclaims({
        stream,
        tellsLess: losses(less) < losses(rows),
        whole,
        forks,
        ours: saidOf(forks),
      }))
        found.push(`seed ${seed} (${label}), cut ${cut}: ${text}`);
    }
  }
  return found.slice(0, LISTED);
}

function losses(rows: readonly Row[]): number {
  return rows.filter(({ kind }) => kind === EventKind.lost).length;
}

/** What a row has that is no event. */
const NOTHING = {
  tid: NONE,
  tgid: NONE,
  comm: NONE,
  argTid: NONE,
  argComm: NONE,
  ctx: 0,
  flags: 0,
  mm: NO_MM,
  mm2: NO_MM,
  users: NO_VALUE,
  count: NO_VALUE,
};

/** The rows that `keep` wants; samples, whose CPU is the sampled one, go with the event they belong to. */
function withSamples(rows: readonly Row[], keep: (row: Row, at: number) => boolean): Row[] {
  let isKept = false;
  return rows.filter((row, at) => {
    if (row.kind !== EventKind.cpuSample) isKept = keep(row, at);
    return isKept;
  });
}

const timeout = 20_000 + SEEDS.length * 400;

test("without its beginning: nothing unsafe, nothing safe that was not, nothing untrue", {
  timeout,
}, async () => {
  const cut = (rows: readonly Row[], chance: () => number): Row[] =>
    rows.slice(Math.floor(chance() * rows.length));
  expect(await overStreams(cut)).toEqual([]);
});

test("without one of its CPUs: nothing unsafe, nothing safe that was not, nothing untrue", {
  timeout,
}, async () => {
  const silence = (rows: readonly Row[], chance: () => number): Row[] => {
    const silent = rows[Math.floor(chance() * rows.length)]!.cpu;
    return withSamples(rows, ({ cpu }) => cpu !== silent);
  };
  expect(await overStreams(silence)).toEqual([]);
});

test("with each CPU's beginning overwritten: nothing unsafe, nothing safe that was not, nothing untrue", {
  timeout,
}, async () => {
  const overwrite = (rows: readonly Row[], chance: () => number): Row[] => {
    const begins = new Map<number, number>();
    for (const { cpu } of rows)
      if (!begins.has(cpu)) begins.set(cpu, Math.floor((chance() * rows.length) / 2));
    const kept = withSamples(rows, ({ cpu }, at) => at >= (begins.get(cpu) ?? 0));
    const first = kept[0]!;
    return [{ ...first, ...NOTHING, kind: EventKind.bufferStarted, cpu: NONE }, ...kept];
  };
  expect(await overStreams(overwrite)).toEqual([]);
});

test.each(["one CPU", "an unnamed CPU"])(
  "with events lost on %s: nothing unsafe, nothing safe that was not, nothing untrue",
  { timeout },
  async (cpu) => {
    const gap = (rows: readonly Row[], chance: () => number): Row[] => {
      const at = Math.floor(chance() * rows.length);
      const next = rows[at]!;
      const lost = {
        ...next,
        ...NOTHING,
        kind: EventKind.lost,
        cpu: cpu === "one CPU" ? next.cpu : NONE,
        flags: 1,
      };
      return [...rows.slice(0, at), lost, ...rows.slice(at)];
    };
    expect(await overStreams(gap)).toEqual([]);
  },
);

test.each(["one CPU", "an unnamed CPU"])(
  "without a run of one CPU's events, on %s: nothing unsafe, nothing safe that was not, nothing untrue",
  { timeout },
  async (cpu) => {
    const lose = (rows: readonly Row[], chance: () => number): Row[] => {
      const from = Math.floor(chance() * rows.length);
      const first = rows[from]!;
      const own = rows.flatMap((row, at) => (at >= from && isEventOf(row, first.cpu) ? [at] : []));
      const length = 1 + Math.floor(chance() * 60);
      const to = own[length] ?? rows.length;
      const lost = {
        ...(rows[to] ?? rows.at(-1)!),
        ...NOTHING,
        kind: EventKind.lost,
        cpu: cpu === "one CPU" ? first.cpu : NONE,
        flags: length,
      };
      const before = withSamples(rows.slice(0, to), (row, at) => at < from || row.cpu !== first.cpu);
      return [...before, lost, ...rows.slice(to)];
    };
    expect(await overStreams(lose)).toEqual([]);
  },
);

function isEventOf({ kind, cpu }: Row, of: number): boolean {
  return kind !== EventKind.cpuSample && cpu === of;
}
