// The byte path through a CSV against papaparse: recordings, and records damaged in every way that quoting, line ends,
// ragged rows and encodings can be.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Problem } from "../../src/base/problem.ts";
import { digestOf, ownSamples } from "../support/ingest-digest.ts";

const CSVS = ownSamples()
  .filter(({ name }) => name.includes("csv"))
  .map(({ name, bytes }) => ({ name, bytes: bytes() }));

/**
 * What is read. Problems by their code: papaparse sees records a block at a time, so that the order in which two kinds of
 * problems are met differs.
 */
function read(bytes: Uint8Array, naive: boolean, chunk = 1 << 20): unknown {
  const digest = digestOf({ naive }, (ingest) => {
    for (let at = 0; at < bytes.length; at += chunk) ingest.push(bytes.slice(at, at + chunk));
  });
  const { problems } = digest as { problems?: readonly Problem[] };
  const byCode = problems?.toSorted((a, b) => (a.kind.code < b.kind.code ? -1 : 1));
  return { ...(digest as object), problems: byCode };
}

test.each(CSVS)("$name", ({ bytes }) => {
  expect(read(bytes, false)).toEqual(read(bytes, true));
});

/** Header, plain records and records that papaparse has to see, in the recorder's columns. */
const PIECE = [
  "ts_ns,cpu,pid,tid,event,mm,mm_users,mm_count,other_mm,target_tid,extra,comm",
  "1856288293235,0,22916,22916,sched_switch,0xff42a6ce81aede80,-1,-1,0xff42a6ce81aede80,14,prev_tid=22916;prev_state=0,bpftrace",
  '1856288436612,0,22916,22916,enter_lazy,0xff42a6ce81aede80,1,2,0x0,14,,bpf,tr"ace',
  "1856288436700,1,14,14,switch_mm,0xff42a6ce81aede80,1,2,0xff42a6ce82208900,15,tsk=0xff42a6ce8258c200,ksoftirqd/0",
  "1856288436800,1,14,14,switch_mm,0xff42a6ce81aede80,1,2,0x0,15,tsk=0x0,ksoftirqd/0",
  "1856288436900,1,14,15,mmput,0x0,7,9,0x0,15,,a",
  "1856288437000,1,14,15,fork_end,0xff42a6ce81aede80,1,2,0x0,0,ret=0;lm0=0x1;lz0=0;cm0=ff42a6ce81aede80,forker",
  "1856288437100,2,14,15,newtask,0x0,-1,-1,0x0,16,clone_flags=0x1200000,forker",
  "1856288437200,2,14,15,some_other,0x0,-1,-1,0x0,16,,forker",
  "",
].join("\n");

const TEXTS = [
  ...['"', ",", ",,", "\r\n", "\n", "\r", ";", "=", "-", "--1", "+1", "1e3", "0x1f", " ", "\t", "\0", ""],
  ...[
    "9999999999",
    "00000000000000000000001",
    "-1",
    ".5",
    "Lost 5 events\n",
    "# forkcast: armed get_task_mm\n",
  ],
  ...[
    "\u00e4",
    "\u00ff\u00fe",
    "\u00c3\u00a4",
    "prev_tid=7",
    "tsk=",
    "sched_switch",
    "(null)",
    "\ufeff".slice(1),
  ],
];

test("damaged records are read alike", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ place: fc.nat(), text: fc.constantFrom(...TEXTS), cut: fc.nat(4) }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.boolean(),
      fc.integer({ min: 1, max: 4000 }),
      (blows, isHeaderQuoted, chunk) => {
        const header = PIECE.indexOf("\n") + 1;
        let text = PIECE.slice(header).repeat(3);
        for (const { place, text: put, cut } of blows) {
          const at = place % text.length;
          text = text.slice(0, at) + put + text.slice(at + cut);
        }
        const head = PIECE.slice(0, header);
        const whole = (isHeaderQuoted ? head.replace("comm", '"comm"') : head) + text;
        const bytes = new Uint8Array(Buffer.from(whole, "latin1"));
        expect(read(bytes, false, chunk)).toEqual(read(bytes, true));
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);
