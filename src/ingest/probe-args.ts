// Arguments of a probe line, " mm=0xff2f70a18285e300 users=2 count=1 lm0=0x… lz0=0 cm0=0x…", read by name into one
// reused record. Fed by the decoder, read by probe-rows.ts.
import { ByteInterner } from "../base/interner.ts";
import { NO_MM, NO_VALUE, NULL_MM } from "../table/event-batch.ts";
import { MAX_NAMES } from "./event-names.ts";
import {
  ascii,
  EQUALS,
  hasHexPrefix,
  readHexLow,
  readInt32,
  SPACE,
  skipSpaces,
  startsWith,
  ZERO,
} from "./numbers.ts";
import type { PointerTable } from "./pointers.ts";

/** Slots of ProbeArgs.values. Pointers come first. */
export const Arg = {
  mm: 0,
  oldmm: 1,
  newmm: 2,
  next: 3,
  prev: 4,
  srcMm: 5,
  dstMm: 6,
  tsk: 7,
  task: 8,
  pid: 9,
  users: 10,
  count: 11,
  flags: 12,
  ret: 13,
  freed: 14,
} as const;
type Arg = (typeof Arg)[keyof typeof Arg];

const NULL_TEXT = ascii("(null)");
const LAST_MM: number = Arg.dstMm;
const LAST_POINTER: number = Arg.task;
const SLOTS = 15;
const SAMPLE_BASE = 32;
const IGNORED = -1;
const MAX_SAMPLED_CPUS = 1024;
const MAX_KEYS = 4096;

/** Slots of ProbeArgs.values by the arguments' names. */
export const ARG_NAMES: ReadonlyMap<string, Arg> = new Map<string, Arg>([
  ["mm", Arg.mm],
  ["oldmm", Arg.oldmm],
  ["newmm", Arg.newmm],
  ["next", Arg.next],
  ["prev", Arg.prev],
  ["tsk", Arg.tsk],
  ["task", Arg.task],
  ["pid", Arg.pid],
  ["users", Arg.users],
  ["nusers", Arg.users],
  ["susers", Arg.users],
  ["mm_users", Arg.users],
  ["count", Arg.count],
  ["ncount", Arg.count],
  ["scount", Arg.count],
  ["mm_count", Arg.count],
  ["flags", Arg.flags],
  ["clone_flags", Arg.flags],
  ["ret", Arg.ret],
  ["freed", Arg.freed],
  ["freed_tables", Arg.freed],
  ["src_mm", Arg.srcMm],
  ["dst_mm", Arg.dstMm],
]);

/** Arguments of the line read last. Absent values are NO_MM in pointer slots and NO_VALUE in the others. */
export class ProbeArgs {
  readonly values: Int32Array = new Int32Array(SLOTS);
  /** Sampled CPUs of this line, in line order, and their values, three a CPU: lm, lz, cm (NO_VALUE when absent). */
  readonly cpus: Int32Array = new Int32Array(MAX_SAMPLED_CPUS);
  readonly samples: Int32Array = new Int32Array(MAX_SAMPLED_CPUS * 3);
  /** loaded_mm read 0x1: the CPU was between two mms. */
  readonly switching: Uint8Array = new Uint8Array(MAX_SAMPLED_CPUS);
  sampled = 0;
  /** The mm argument is an error pointer (IS_ERR_VALUE). */
  mmIsError = false;
  readonly #pointers: PointerTable;
  readonly #keys = new ByteInterner();
  /** By key id: its slot, and its bytes with the "=". */
  readonly #codes: Int16Array = new Int16Array(MAX_KEYS);
  readonly #printed: Uint8Array[] = [];
  /** The key that last followed a key (by id) or stood first in a shape (behind the keys); -1 at first. */
  readonly #followers: Int16Array = new Int16Array(MAX_KEYS + MAX_NAMES).fill(-1);

  constructor(pointers: PointerTable) {
    this.#pointers = pointers;
  }

  /**
   * Reads bytes[from, end): "key=value" words parted by spaces. Unknown keys and stray words are passed over. `shape`
   * (below MAX_NAMES) names lines that have the same keys in the same order: each key is first guessed to be the
   * one that followed the key before it last time.
   */
  read(bytes: Uint8Array, from: number, end: number, shape: number): void {
    this.clear();
    let before = MAX_KEYS + shape;
    let at = skipSpaces(bytes, from, end);
    while (at < end) {
      let id = this.#followers[before]!;
      if (id < 0 || !startsWith(bytes, at, end, this.#printed[id]!)) {
        const stop = keyEnd(bytes, at, end);
        if (stop === end || bytes[stop] !== EQUALS) {
          at = skipSpaces(bytes, stop, end);
          continue;
        }
        id = this.#keyId(bytes, at, stop);
        this.#followers[before] = id;
      }
      before = id;
      at = skipSpaces(bytes, this.#set(this.#codes[id]!, bytes, at + this.#printed[id]!.length, end), end);
    }
  }

  /** Forgets the record before. */
  clear(): void {
    const values = this.values;
    for (let i = 0; i <= LAST_POINTER; i++) values[i] = NO_MM;
    for (let i = LAST_POINTER + 1; i < SLOTS; i++) values[i] = NO_VALUE;
    this.sampled = 0;
    this.mmIsError = false;
  }

  /** Takes in a binary value of the argument `code` (argCode()): 64 bits as two int32 halves, extended by the field's sign. */
  setWords(code: number, high: number, low: number): void {
    const values = this.values;
    if (code >= SAMPLE_BASE) this.#sampleWords(code - SAMPLE_BASE, high, low);
    else if (code <= LAST_MM) {
      values[code] = this.#pointers.ofWords(high, low);
      // IS_ERR_VALUE(): the last 4095 addresses
      if (code === Arg.mm) this.mmIsError = high === -1 && low >>> 12 === 0xfffff;
    } else if (code <= LAST_POINTER) values[code] = (high | low) === 0 ? NULL_MM : 1;
    else if (code === Arg.flags) values[code] = low;
    else values[code] = int32Of(high, low);
  }

  #sampleWords(code: number, high: number, low: number): void {
    const slot = this.#slot((code / 3) | 0);
    const part = code % 3;
    // LOADED_MM_SWITCHING, arch/x86/include/asm/tlbflush.h
    const isSwitching = part === 0 && high === 0 && low === 1;
    if (isSwitching) this.switching[slot] = 1;
    this.samples[slot * 3 + part] =
      part === 1 ? int32Of(high, low) : isSwitching ? NULL_MM : this.#pointers.ofWords(high, low);
  }

  /** Takes in the value that begins at `from`; returns where it ends. */
  #set(code: number, bytes: Uint8Array, from: number, end: number): number {
    if (code >= SAMPLE_BASE) return this.#sample(code - SAMPLE_BASE, bytes, from, end);
    if (code >= 0 && code <= LAST_MM) return this.#setMm(code, bytes, from, end);
    const to = wordEnd(bytes, from, end);
    const values = this.values;
    if (code === IGNORED) return to;
    if (code <= LAST_POINTER) {
      values[code] = isNullPointer(bytes, from, to) ? NULL_MM : 1;
    } else if (code === Arg.flags) {
      values[code] = hasHexPrefix(bytes, from, to) ? readHexLow(bytes, from, to) : readInt32(bytes, from, to);
    } else {
      values[code] = readInt32(bytes, from, to);
    }
    return to;
  }

  /** Returns where the value ends. */
  #setMm(code: number, bytes: Uint8Array, from: number, end: number): number {
    this.values[code] = this.#pointers.read(bytes, from, end);
    const stop = this.#pointers.end;
    if (code === Arg.mm) this.mmIsError = isErrorPointer(bytes, from, stop);
    return stop;
  }

  /** Takes in a sampled CPU's lm, lz or cm; returns where the value ends. */
  #sample(code: number, bytes: Uint8Array, from: number, end: number): number {
    const slot = this.#slot((code / 3) | 0);
    const part = code % 3;
    const at = slot * 3 + part;
    if (part === 1) {
      const stop = wordEnd(bytes, from, end);
      this.samples[at] = readInt32(bytes, from, stop);
      return stop;
    }
    if (part === 0) {
      const stop = switchingEnd(bytes, from, end);
      if (stop >= 0) {
        this.samples[at] = NULL_MM;
        this.switching[slot] = 1;
        return stop;
      }
    }
    this.samples[at] = this.#pointers.read(bytes, from, end);
    return this.#pointers.end;
  }

  /** Index of a CPU in `cpus`. A CPU's three values stand together: the last one is looked at first. */
  #slot(cpu: number): number {
    for (let slot = this.sampled - 1; slot >= 0; slot--) if (this.cpus[slot] === cpu) return slot;
    const slot = this.sampled++;
    this.cpus[slot] = cpu;
    this.samples.fill(NO_VALUE, slot * 3, slot * 3 + 3);
    this.switching[slot] = 0;
    return slot;
  }

  /** Id of the key bytes[from, to). There are a handful in a trace; once MAX_KEYS are known the last id is reused. */
  #keyId(bytes: Uint8Array, from: number, to: number): number {
    const known = this.#keys.find(bytes, from, to);
    if (known >= 0) return known;
    const isFull = this.#keys.size === MAX_KEYS - 1;
    const id = isFull ? MAX_KEYS - 1 : this.#keys.intern(bytes, from, to);
    this.#printed[id] = bytes.slice(from, to + 1);
    this.#codes[id] = argCode(new TextDecoder().decode(bytes.subarray(from, to)));
    return id;
  }
}

/** Index of the first "=" or " " in [at, end), or `end`. */
function keyEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== EQUALS && bytes[i] !== SPACE) i++;
  return i;
}

function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== SPACE) i++;
  return i;
}

/** Code of an argument by its name, -1 for one without a use. lm3 -> loaded_mm of CPU 3, lz3 -> is_lazy, cm3 -> rq->curr->mm. */
export function argCode(key: string): number {
  const named = ARG_NAMES.get(key);
  if (named !== undefined) return named;
  const match = /^(lm|lz|cm)(\d{1,4})$/.exec(key);
  if (match === null) return IGNORED;
  const cpu = Number(match[2]);
  if (cpu >= MAX_SAMPLED_CPUS) return IGNORED;
  return SAMPLE_BASE + cpu * 3 + (match[1] === "lm" ? 0 : match[1] === "lz" ? 1 : 2);
}

/** 64 bits, as two int32 halves, as int32; NO_VALUE when they do not fit. */
function int32Of(high: number, low: number): number {
  return high === low >> 31 ? low : NO_VALUE;
}

/** Where LOADED_MM_SWITCHING ends (arch/x86/include/asm/tlbflush.h), printed 0x1 or, by bpftrace, 1; -1 for another value. */
function switchingEnd(bytes: Uint8Array, from: number, end: number): number {
  const digit = hasHexPrefix(bytes, from, end) ? from + 2 : from;
  if (digit >= end || bytes[digit] !== 0x31) return -1;
  return digit + 1 === end || bytes[digit + 1] === SPACE ? digit + 1 : -1;
}

/** "0x0", "0", "0000000000000000" or "(null)". */
function isNullPointer(bytes: Uint8Array, from: number, to: number): boolean {
  if (startsWith(bytes, from, to, NULL_TEXT)) return true;
  for (let i = hasHexPrefix(bytes, from, to) ? from + 2 : from; i < to; i++) {
    if (bytes[i] !== ZERO) return false;
  }
  return to > from;
}

/** IS_ERR_VALUE(): the last 4095 addresses, 0xfffffffffffff001 and up. */
function isErrorPointer(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== 18 || !hasHexPrefix(bytes, from, to)) return false;
  for (let i = from + 2; i < from + 15; i++) if (bytes[i] !== 0x66) return false;
  return true;
}
