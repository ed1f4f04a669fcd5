// Byte mutations as fast-check arbitraries: bits and bytes overwritten, lengths replaced by values at the edges of integers,
// pieces cut, doubled and moved. Used by streams.test.ts.
import fc from "fast-check";

/** One change; places are fractions of the input, so that it shrinks with the input. */
export type Edit =
  | { readonly op: "set"; readonly at: number; readonly byte: number }
  | { readonly op: "flip"; readonly at: number; readonly bit: number }
  | {
      readonly op: "int";
      readonly at: number;
      readonly width: 2 | 4 | 8;
      readonly value: bigint;
      readonly isLittle: boolean;
    }
  | { readonly op: "cut"; readonly at: number; readonly length: number }
  | { readonly op: "copy"; readonly at: number; readonly from: number; readonly length: number }
  | { readonly op: "end"; readonly at: number }
  | { readonly op: "text"; readonly at: number; readonly text: string };

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const EDGES = [
  0n,
  1n,
  7n,
  8n,
  31n,
  64n,
  255n,
  4096n,
  32767n,
  65535n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];
const TOKENS = [
  '"',
  "}",
  "{ ",
  " = ",
  ": {",
  "[",
  "\\",
  "\n",
  "\\n\\",
  "</script>",
  "# tracer:",
  '{"type"',
  "0x",
  "-1",
  ", ",
  "99999999999999999999",
  "prev_comm",
  " ==> ",
  "align",
  "variant <",
  "[ 4294967295 ]",
];

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ op: fc.constant("set" as const), at: place, byte: fc.nat(255) }),
  fc.record({ op: fc.constant("flip" as const), at: place, bit: fc.nat(7) }),
  fc.record({
    op: fc.constant("int" as const),
    at: place,
    width: fc.constantFrom(2 as const, 4 as const, 8 as const),
    value: fc.constantFrom(...EDGES),
    isLittle: fc.boolean(),
  }),
  fc.record({ op: fc.constant("cut" as const), at: place, length: fc.nat(64) }),
  fc.record({ op: fc.constant("copy" as const), at: place, from: place, length: fc.nat(256) }),
  fc.record({ op: fc.constant("end" as const), at: place }),
  fc.record({ op: fc.constant("text" as const), at: place, text: fc.constantFrom(...TOKENS) }),
);

/** One to eight changes. */
export const edits: fc.Arbitrary<Edit[]> = fc.array(edit, { minLength: 1, maxLength: 8 });

/** The input with the changes made, one after another. */
export function mutated(input: Uint8Array, changes: readonly Edit[]): Uint8Array {
  let bytes = new Uint8Array(input);
  for (const change of changes) bytes = applied(bytes, change);
  return bytes;
}

function applied(bytes: Uint8Array<ArrayBuffer>, change: Edit): Uint8Array<ArrayBuffer> {
  const at = Math.floor(change.at * bytes.length);
  switch (change.op) {
    case "set":
      if (bytes.length > 0) bytes[at] = change.byte;
      return bytes;
    case "flip":
      if (bytes.length > 0) bytes[at] = bytes[at]! ^ (1 << change.bit);
      return bytes;
    case "int":
      writeInt(bytes, at, change.width, change.value, change.isLittle);
      return bytes;
    case "cut":
      return joined(bytes.subarray(0, at), bytes.subarray(at + change.length));
    case "copy": {
      const from = Math.floor(change.from * bytes.length);
      return joined(bytes.subarray(0, at), bytes.subarray(from, from + change.length), bytes.subarray(at));
    }
    case "end":
      return bytes.slice(0, at);
    case "text":
      return joined(bytes.subarray(0, at), new TextEncoder().encode(change.text), bytes.subarray(at));
  }
}

function writeInt(bytes: Uint8Array, at: number, width: number, value: bigint, isLittle: boolean): void {
  for (let i = 0; i < width && at + i < bytes.length; i++) {
    const shift = BigInt((isLittle ? i : width - 1 - i) * 8);
    bytes[at + i] = Number((value >> shift) & 0xffn);
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
