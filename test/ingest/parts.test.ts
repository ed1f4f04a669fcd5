// Parts read apart, as worker threads do it: whatever the size of the parts and however far ahead of the trace they are
// read, the rows, problems and meta are those of reading all of it in one go.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Ingest, type Part, readPart } from "../../src/ingest/index.ts";
import { digestOf, ownSamples } from "../support/ingest-digest.ts";

const LF = 0x0a;
const TEXTS = ownSamples()
  .filter(({ name }) => !name.includes("csv"))
  .map(({ name, bytes }) => ({ name, bytes: bytes() }));
const LONG = TEXTS.filter(({ bytes }) => bytes.length > 100_000);

/** Whole lines of about `size` bytes each; the last piece is what is left. */
function slabs(bytes: Uint8Array, size: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(LF, Math.min(at + size, bytes.length - 1));
    const end = newline < 0 ? bytes.length : newline + 1;
    out.push(bytes.subarray(at, end));
    at = end;
  }
  return out;
}

/** Reads with `ahead` parts under way at any time, each from the state at its start, through a copy as between threads. */
function readInParts(ingest: Ingest, bytes: Uint8Array, size: number, ahead: number): number {
  const waiting: { slab: Uint8Array; part: Part | null }[] = [];
  let taken = 0;
  const take = (): void => {
    const first = waiting.shift();
    if (first === undefined) return;
    taken += first.part?.lines ?? 0;
    if (first.part === null) ingest.push(first.slab);
    else ingest.pushPart(first.part, () => first.slab);
  };
  for (const slab of slabs(bytes, size)) {
    const state = ingest.partState();
    const isWhole = slab.at(-1) === LF;
    const part = state === null || !isWhole ? null : readPart(structuredClone(state), slab, 0, slab.length);
    waiting.push({ slab, part: structuredClone(part) });
    if (waiting.length > ahead) take();
  }
  while (waiting.length > 0) take();
  return taken;
}

function whole(bytes: Uint8Array): unknown {
  return digestOf({}, (ingest) => ingest.push(bytes));
}

test.each(LONG)("$name: most lines are read apart", ({ bytes }) => {
  let taken = 0;
  const parts = digestOf({}, (ingest) => {
    taken = readInParts(ingest, bytes, 70_000, 1);
  });
  expect(parts).toEqual(whole(bytes));
  expect(taken).toBeGreaterThan(0);
});

test("any size of parts, any number of them ahead", () => {
  fc.assert(
    fc.property(
      fc.nat(TEXTS.length - 1),
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 1, max: 3 }),
      (which, size, ahead, copies) => {
        const { bytes } = TEXTS[which] ?? { bytes: new Uint8Array(0) };
        const piece = bytes.subarray(0, 150_000);
        // Further copies go back in time: rows that come too late, which a part cannot know.
        const text = new Uint8Array(piece.length * copies);
        for (let copy = 0; copy < copies; copy++) text.set(piece, copy * piece.length);
        const batchRows = 512;
        const parts = digestOf({ batchRows }, (ingest) => {
          readInParts(ingest, text, size < 100 ? size * 50 + 1 : size, ahead);
        });
        expect(parts).toEqual(digestOf({ batchRows }, (ingest) => ingest.push(text)));
      },
    ),
    { numRuns: 20 },
  );
}, 120_000);
