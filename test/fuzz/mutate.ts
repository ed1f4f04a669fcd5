// Damages recordings: bytes anywhere, and above all the sizes, counts and offsets that a seed's writer marked. Every
// mutation follows from one number, so a failure can be made again.
import fc from "fast-check";
import type { Seed } from "../support/recording-seeds.ts";

/** One change; places are shares of the file or of its marks, so that they fit any seed. */
export interface Change {
  readonly kind: "lie" | "nudge" | "byte" | "cut" | "copy" | "remove" | "zero";
  readonly place: number;
  readonly value: number;
}

/** What length fields are set to: edges of widths, and sizes that would exhaust memory. */
const LIES: readonly bigint[] = [
  0n,
  1n,
  3n,
  7n,
  8n,
  9n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x10000n,
  0xfffffn,
  0x3ffffffn,
  0x7fffffffn,
  0x80000000n,
  0xc0000000n,
  0xffffffffn,
  1n << 33n,
  1n << 53n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];

/** Up to three changes; half of them lie in a marked field. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Change["kind"]>(
      "lie",
      "lie",
      "lie",
      "nudge",
      "nudge",
      "byte",
      "byte",
      "cut",
      "copy",
      "remove",
      "zero",
    ),
    place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    value: fc.nat({ max: 0xffff }),
  }),
  { minLength: 1, maxLength: 3 },
);

/** The seed with the changes made one after the other. */
export function mutate(seed: Seed, list: readonly Change[], big: boolean): Uint8Array {
  let bytes: Uint8Array = seed.bytes.slice();
  for (const change of list) bytes = apply(bytes, seed, change, big);
  return bytes;
}

function apply(bytes: Uint8Array, seed: Seed, change: Change, big: boolean): Uint8Array {
  const { kind, value } = change;
  // Towards the end: damage in the header is refused as a whole, the events lie behind it.
  const place = Math.sqrt(change.place);
  const at = Math.floor(place * bytes.length);
  const mark = seed.marks[Math.floor(place * seed.marks.length)]!;
  switch (kind) {
    case "lie":
      write(bytes, mark, LIES[value % LIES.length]!, big);
      return bytes;
    case "nudge":
      write(bytes, mark, read(bytes, mark, big) + BigInt((value % 33) - 16), big);
      return bytes;
    case "byte":
      if (bytes.length > 0) bytes[at] = value & 0xff;
      return bytes;
    case "cut":
      return bytes.slice(0, at);
    case "copy":
      bytes.copyWithin(value % Math.max(1, bytes.length), at, at + 1 + (value % 512));
      return bytes;
    case "remove":
      return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + (value % 64)));
    case "zero":
      bytes.fill(0, at, at + (value % 4096));
      return bytes;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

function read(bytes: Uint8Array, { at, size }: Seed["marks"][number], big: boolean): bigint {
  let value = 0n;
  for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(bytes[big ? at + i : at + size - 1 - i] ?? 0);
  return value;
}

function write(bytes: Uint8Array, { at, size }: Seed["marks"][number], value: bigint, big: boolean): void {
  for (let i = 0; i < size; i++) {
    const to = big ? at + size - 1 - i : at + i;
    if (to < bytes.length) bytes[to] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
}
