// How often each row of the transition table is taken, over the recordings of traces/ and the fixtures of
// test/golden/replay, and what the replay decides of their forks. Read by page.ts and test/replay/transitions.test.ts.
import { readdirSync, readFileSync } from "node:fs";
import { ingest, MANIFEST, type Outcome, recording, run, type Trace } from "../../test/replay/recordings.ts";
import type { Transition } from "./states.ts";
import { TRANSITIONS } from "./transitions.ts";
import { type Taken, walk } from "./walk.ts";

const FIXTURES = new URL("../../test/golden/replay/", import.meta.url);

/** What is known of a row of the table. */
export interface RowTally {
  /** Times the committed recordings take it, by states: "user lazy" -> n. */
  readonly taken: Map<string, number>;
  /** The first time: "6.1/W1.ftrace.txt:74"; a fixture's when no recording takes it. */
  first: string | undefined;
}

export interface ModelTally {
  readonly rows: ReadonlyMap<Transition, RowTally>;
  /** Changes of state that no row of the table allows, or more than one, while no events had been lost. */
  readonly strange: readonly string[];
  /** The same after lost events, where an event may contradict what the replay took for known. */
  contradicted: number;
}

export async function tallyModel(): Promise<ModelTally> {
  const strange: string[] = [];
  const tally: ModelTally = {
    rows: new Map(TRANSITIONS.map((row) => [row, { taken: new Map(), first: undefined }])),
    strange,
    contradicted: 0,
  };
  for (const { file } of MANIFEST) add(tally, strange, file.replace(/\.zst$/, ""), recording(file), true);
  for (const name of fixtures())
    add(tally, strange, `fixture ${name}`, ingest(readFileSync(new URL(name, FIXTURES)), name), false);
  return tally;
}

/** Replays all committed recordings, by manifest order. */
export function outcomes(): Promise<Outcome[]> {
  return Promise.all(MANIFEST.map(({ file }) => run(recording(file))));
}

function fixtures(): string[] {
  return readdirSync(FIXTURES)
    .filter((name) => name.endsWith(".txt"))
    .sort();
}

function add(tally: ModelTally, strange: string[], name: string, trace: Trace, isRecording: boolean): void {
  walk(trace, (taken) => {
    const rows = TRANSITIONS.filter((row) => allows(row, taken));
    const [row] = rows;
    const at = `${name}:${taken.line}`;
    if (row === undefined && taken.isLossy) tally.contradicted++;
    else if (row === undefined || rows.length > 1) strange.push(`${at} ${describe(taken)}`);
    else note(tally, row, taken, at, isRecording);
  });
}

function note(
  tally: ModelTally,
  row: Transition,
  { from, to }: Taken,
  at: string,
  isRecording: boolean,
): void {
  const own = tally.rows.get(row);
  if (own === undefined) return;
  own.first ??= at;
  const key = `${from} ${to}`;
  if (isRecording) own.taken.set(key, (own.taken.get(key) ?? 0) + 1);
}

/** Is the change of state one that the row describes? Also in what it does to mm_count. */
export function allows(row: Transition, taken: Taken): boolean {
  return (
    row.machine === taken.machine &&
    row.from.includes(taken.from) &&
    row.to.includes(taken.to) &&
    (row.by.includes(taken.by) || row.by.includes("*")) &&
    (row.mm === undefined || row.mm === taken.mm) &&
    (row.count === undefined || row.count === taken.count)
  );
}

function describe({ machine, from, by, to, mm, count }: Taken): string {
  return [machine, from, "to", to, "by", by, mm, count].filter((word) => word !== "").join(" ");
}
