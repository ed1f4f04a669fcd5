// npm run agreement [-- --only SECTION[,SECTION] DIR...]: what the replay claims against what recordings sampled. Reads every
// .zst text in DIR (traces/ unless said) and prints the sections of docs/model.md: recordings (blind, one line each),
// matrix (one kind of probe left out at a time), twins (stock tracepoints of a run that was also recorded with probes),
// unsafe (per policy, against X.truth.csv).
import { basename } from "node:path";
import { type Outcome, run, type Trace } from "../test/replay/recordings.ts";
import { emptyTally, TALLY_HEAD, type Tally, tally, tallyText } from "./agreement/blind.ts";
import { DROPS } from "./agreement/drops.ts";
import { declaredFor, load, recordingsIn, without } from "./agreement/recordings.ts";
import { Twins } from "./agreement/twins.ts";
import { Unsafe } from "./agreement/unsafe.ts";

const SECTIONS = ["recordings", "matrix", "twins", "unsafe"] as const;
type Section = (typeof SECTIONS)[number];

interface Args {
  readonly only: readonly Section[];
  readonly roots: readonly string[];
}

function argsOf(args: readonly string[]): Args {
  const at = args.indexOf("--only");
  const only = at < 0 ? SECTIONS : SECTIONS.filter((name) => (args[at + 1] ?? "").split(",").includes(name));
  if (only.length === 0) throw new Error(`--only expects one or more of ${SECTIONS.join(", ")}`);
  const roots = args.filter((_, i) => at < 0 || (i !== at && i !== at + 1));
  return { only, roots: roots.length > 0 ? roots : ["traces"] };
}

/** What the sections add up over the files. */
interface Report {
  readonly only: readonly Section[];
  readonly total: Tally;
  readonly matrix: ReadonlyMap<string, Tally>;
  readonly twins: Twins;
  readonly unsafe: Unsafe;
  sampled: number;
}

async function main(): Promise<void> {
  const { only, roots } = argsOf(process.argv.slice(2));
  const files = roots.flatMap(recordingsIn);
  const report: Report = {
    only,
    total: emptyTally(),
    matrix: new Map(Object.keys(DROPS).map((label) => [label, emptyTally()])),
    twins: new Twins(),
    unsafe: new Unsafe(),
    sampled: 0,
  };
  if (only.includes("recordings")) console.log(`${"recording".padEnd(48)} sampled ${TALLY_HEAD}`);
  for (const file of files) {
    const trace = load(file);
    if (trace !== undefined) await addFile(report, file, trace);
  }
  const { total, sampled } = report;
  if (only.includes("recordings"))
    console.log(`${"all".padEnd(48)} ${String(total.sampled).padStart(7)} ${tallyText(total)}`);
  console.log(`${sampled} recordings with samples, of ${files.length} texts\n`);
  if (only.includes("matrix")) printMatrix(report.matrix);
  if (only.includes("twins")) report.twins.print();
  if (only.includes("unsafe")) report.unsafe.print();
}

async function addFile(report: Report, file: string, trace: Trace): Promise<void> {
  const { only } = report;
  const truth = await run(trace, { assume: declaredFor(file) });
  if (only.includes("twins")) await report.twins.add(file, truth);
  if (only.includes("unsafe")) await report.unsafe.add(file, trace, truth);
  if (!truth.forks.some((fork) => fork.sampled_users !== null)) return;
  report.sampled++;
  if (only.includes("recordings")) await recordingLine(file, trace, truth, report.total);
  if (!only.includes("matrix")) return;
  for (const [label, kinds] of Object.entries(DROPS))
    await matrixRow(file, trace, truth, kinds, report.matrix.get(label));
}

async function recordingLine(file: string, trace: Trace, truth: Outcome, total: Tally): Promise<void> {
  const ours = await run(trace, { blind: true, assume: declaredFor(file) });
  const own = emptyTally();
  for (const into of [own, total]) tally(into, truth, ours);
  const name = file.split("/").slice(-3, -1).concat(basename(file).replace(".zst", "")).join("/");
  console.log(`${name.padEnd(48)} ${String(own.sampled).padStart(7)} ${tallyText(own)}`);
}

async function matrixRow(
  file: string,
  trace: Trace,
  truth: Outcome,
  kinds: readonly string[],
  into: Tally | undefined,
): Promise<void> {
  if (into === undefined) return;
  const assume = kinds.includes("__khugepaged_enter") ? [] : declaredFor(file);
  tally(into, truth, await run(without(trace, kinds), { blind: true, assume }));
}

function printMatrix(matrix: ReadonlyMap<string, Tally>): void {
  console.log(`${"left out".padEnd(37)} ${TALLY_HEAD}`);
  for (const [label, figures] of matrix) console.log(`${label.padEnd(37)} ${tallyText(figures)}`);
  console.log("");
}

await main();
