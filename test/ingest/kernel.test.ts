// The WebAssembly kernel: built from its source, and the same as its twin in TypeScript on every part of every recording
// and on damaged ones.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { kernelSource, MODULES } from "../../assembly/build.ts";
import { openIngest, type Part, type PartState, readPart } from "../../src/ingest/index.ts";
import { ownSamples } from "../support/ingest-digest.ts";

const LF = 0x0a;
const TEXTS = ownSamples()
  .filter(({ name }) => !name.includes("csv"))
  .map(({ name, bytes }) => ({ name, bytes: bytes() }));

const beginnings = new Map<Uint8Array, PartState | null>();

/** What the first 100 kB teach; read once. */
function stateOf(bytes: Uint8Array): PartState | null {
  let state = beginnings.get(bytes);
  if (state === undefined) {
    const ingest = openIngest({ path: "unknown" }, () => {});
    ingest.push(bytes.subarray(0, bytes.lastIndexOf(LF, 100_000) + 1));
    state = ingest.partState();
    beginnings.set(bytes, state);
  }
  return state;
}

/** Text that tells two parts apart by all they hold, and fast. */
function fingerprint(part: Part | null): string {
  const rows = part?.sink.rows.length ?? 0;
  return JSON.stringify(part, function (this: object, _key, value: unknown) {
    if (!ArrayBuffer.isView(value)) return value;
    // Of a batch's columns only its rows: what lies behind them is nobody's.
    const isColumn = this === part?.sink.rows;
    const length = isColumn ? (value.byteLength / (value as Uint8Array).length) * rows : value.byteLength;
    return createHash("sha256")
      .update(new Uint8Array(value.buffer, value.byteOffset, length))
      .digest("hex");
  });
}

/** Lines read of `part`; -1 when the beginning of `bytes` teaches nothing. */
function compare(bytes: Uint8Array, part: Uint8Array): number {
  const state = stateOf(bytes);
  if (state === null) return -1;
  const end = part.lastIndexOf(LF) + 1;
  const byKernel = readPart(state, part, 0, end);
  expect(fingerprint(byKernel)).toBe(fingerprint(readPart(state, part, 0, end, false)));
  return byKernel?.lines ?? 0;
}

test.each(MODULES)("$target is what $source gives", async (module) => {
  const committed = readFileSync(fileURLToPath(new URL(`../../${module.target}`, import.meta.url)), "utf8");
  expect(committed).toBe(await kernelSource(module));
});

test.each(TEXTS.filter(({ bytes }) => bytes.length > 200_000))("$name", ({ bytes }) => {
  let lines = 0;
  for (let from = 100_000; from < 200_000; from += 10_000) {
    const start = bytes.lastIndexOf(LF, from) + 1;
    lines += compare(bytes, bytes.subarray(start, start + 40_000));
  }
  expect(lines).toBeGreaterThan(0);
});

/** What a column of a head is struck with: put in its place, before it, or (empty) taken out. */
const STROKES = [..." -:09[](/.!;#_\t\n\0\x7f\xff", "", "99", "4194304", "4194305", "-------"];

/** Lines whose heads are printed in other columns than those around them. */
const WIDE: readonly (readonly [RegExp, string])[] = [
  [/-\d+ +/, "-4194304"],
  [/-\d+ +/, "-4194305 "],
  [/-\d+ +/, "-1234567 "],
  [/-\d+ +/, "-12345678 "],
  [/\( *\d+\)/, "(4194304)"],
  [/\( *\d+\)/, "(4194305)"],
  [/\( *\d+\)/, "(-------)"],
  [/\( *\d+\)/, "(-----)"],
  [/\( *\d+\)/, "( 12 34)"],
  [/ \d+\/\d+ +/, " 4194304/4194305 "],
  [/ \d+\/\d+ +/, " 1234567/4194304 "],
  [/ \d+\/\d+ +/, " 123456789/1 "],
  [/ \d+\/\d+ +/, " 12 "],
  [/ \d+\/\d+ +/, " -1/-1 "],
  [/\[\d+\]/, "[8191]"],
  [/\[\d+\]/, "[8192]"],
  [/\[\d+\]/, "[0000000012]"],
  [/\] \S{4,5} /, "] d.....2.1 "],
  [/\] \S{4,5} /, "] .. "],
  [/\] \S{4,5} /, "] "],
  [/ (\d+\.\d{6}):/, " 0000$1:"],
  [/ (\d+\.\d{6}):/, " 000000$1:"],
  [/ (\d+\.\d{6}):/, " 0000000$1:"],
  [/ (\d+\.\d{6}):/, " $1001:"],
  [/ (\d+\.\d{6}):/, "          $1:"],
  [/ (\d+\.\d{6}):/, " $1:  "],
  [/ (\d+\.\d{6}):/, `${" ".repeat(30)}$1001:`],
];

const HEADS = ["6.1/W1.ftrace", "6.1/W5.trace-cmd", "6.1/W6.perf", "6.12/W1.ftrace.stock"].map(
  (name) => TEXTS.find((text) => text.name.startsWith(name))!,
);

test.each(HEADS)(
  "$name: a head struck in every column",
  ({ bytes }) => {
    const start = bytes.lastIndexOf(LF, 150_000) + 1;
    const around = Buffer.from(bytes.subarray(start, start + 6000)).toString("latin1");
    const isPlain = (line: string): boolean =>
      compare(bytes, new Uint8Array(Buffer.from(`${line}\n`, "latin1"))) === 1;
    const lines = around.split("\n").slice(0, -1).filter(isPlain);
    const [before = "", struck = "", ...after] = lines;
    const read = new Map<number, number>();
    const compareWith = (line: string): void => {
      // Twice: the second is held against the first, and the one behind them against both.
      const text = [before, struck, line, line, struck, ...after.slice(0, 2), ""].join("\n");
      const count = compare(bytes, new Uint8Array(Buffer.from(text, "latin1")));
      read.set(count, (read.get(count) ?? 0) + 1);
    };
    for (let column = 0; column < struck.search(/\.\d+: /) + 13; column++) {
      for (const stroke of STROKES) compareWith(struck.slice(0, column) + stroke + struck.slice(column + 1));
      for (const stroke of " -09[:") compareWith(struck.slice(0, column) + stroke + struck.slice(column));
    }
    for (const [column, put] of WIDE) {
      for (const line of lines.slice(0, 20)) compareWith(line.replace(column, put));
    }
    expect(read.get(2)).toBeGreaterThan(100);
    expect(read.get(7)).toBeGreaterThan(100);
  },
  120_000,
);

test.each(["6.1/W6.ftrace", "6.1/W6.perf"])(
  "%s: every kind of line struck in its body",
  (name) => {
    const bytes = TEXTS.find((text) => text.name.startsWith(name))!.bytes;
    const lines = Buffer.from(bytes.subarray(100_000)).toString("latin1").split("\n").slice(1, -1);
    const kinds = new Map(lines.map((line) => [/\.\d+: +(\S+?)[(: ]/.exec(line)?.[1], line]));
    let count = 0;
    for (const line of kinds.values()) {
      const from = line.search(/\.\d+: /) + 9;
      // Samples of all CPUs go on and on.
      for (let column = from; column < Math.min(line.length, from + 150); column++) {
        for (const stroke of column % 2 === 0 ? [" ", "9"] : ["=", ""]) {
          const struck = line.slice(0, column) + stroke + line.slice(column + 1);
          compare(bytes, new Uint8Array(Buffer.from(`${struck}\n${line}\n`, "latin1")));
          count++;
        }
      }
    }
    expect(count).toBeGreaterThan(500);
  },
  120_000,
);

test("damaged parts", () => {
  const longEnough = TEXTS.filter(({ bytes }) => bytes.length > 200_000);
  const blow = fc.record({
    place: fc.nat(),
    text: fc.constantFrom(
      " ",
      "-",
      "[",
      ":",
      "(",
      "\n",
      "\r\n",
      "9",
      "99999999",
      "#",
      "\t",
      ".",
      "\\",
      "/",
      "<",
      "\0",
      "=",
      "g",
      "0x",
      "X",
      " prev_pid=1",
      " ==> next_comm=",
      " next_comm=b",
      " mm=0x0",
      " lm0=0x1 lz0=0 cm0=0x0",
      " stray flags=0x100000001",
      " pid=-5 ret=0x80000000",
      " pid=",
      " child_comm=",
      " child_pid=4194305",
      " comm= clone_flags=0xffffffffff",
      " orig_cpu=8192 dest_cpu= 3",
      "\xc3\xa4",
    ),
    cut: fc.nat(3),
  });
  fc.assert(
    fc.property(
      fc.nat(longEnough.length - 1),
      fc.nat(60_000),
      fc.array(blow, { maxLength: 5 }),
      (which, from, blows) => {
        const { bytes } = longEnough[which] ?? { bytes: new Uint8Array(0) };
        const start = bytes.lastIndexOf(LF, 100_000 + from) + 1;
        let text = Buffer.from(bytes.subarray(start, start + 20_000)).toString("latin1");
        for (const { place, text: put, cut } of blows) {
          const at = place % text.length;
          text = text.slice(0, at) + put + text.slice(at + cut);
        }
        const read = compare(bytes, new Uint8Array(Buffer.from(text, "latin1")));
        expect(read).toBeGreaterThanOrEqual(0);
      },
    ),
    { numRuns: 150 },
  );
}, 120_000);
