// Positional reads of a descriptor. Has no other imports: worker threads load it too.
import { readSync } from "node:fs";

/** `length` bytes of `into`, or new ones when it is too small. */
export function roomFor(length: number, into: Uint8Array | undefined): Uint8Array {
  return into !== undefined && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
}

/** Fills `into` from byte `at` on; returns what was filled, less than all of it at the end of the file. */
export function readAt(fd: number, into: Uint8Array, at: number): Uint8Array {
  let filled = 0;
  while (filled < into.length) {
    const n = readSync(fd, into, filled, into.length - filled, at + filled);
    if (n === 0) break;
    filled += n;
  }
  return filled === into.length ? into : into.subarray(0, filled);
}
