// Arguments of a probe line, " mm=0xff2f70a18285e300 users=2 count=1 lm0=0x… lz0=0 cm0=0x…", read by name into one
// reused record. Fed by the decoder, read by probe-rows.ts.
import { NO_MM, NO_VALUE, NULL_MM } from "../table/event-batch.ts";
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
import type { Sink } from "./sink.ts";

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

const ARG_NAMES: ReadonlyMap<string, Arg> = new Map<string, Arg>([
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
  readonly #sink: Sink;
  readonly #codes = new Map<number, number>();
  readonly #texts = new Map<number, string>();

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Reads bytes[from, end): "key=value" words parted by spaces. Unknown keys and stray words are passed over. */
  read(bytes: Uint8Array, from: number, end: number): void {
    this.values.fill(NO_MM, 0, LAST_POINTER + 1).fill(NO_VALUE, LAST_POINTER + 1);
    this.sampled = 0;
    this.mmIsError = false;
    let at = from;
    while (at < end) {
      at = skipSpaces(bytes, at, end);
      const keyStart = at;
      let hash = 0;
      let c = SPACE;
      for (; at < end; at++) {
        c = bytes[at]!;
        if (c === EQUALS || c === SPACE) break;
        hash = (Math.imul(hash, 31) + c) | 0;
      }
      if (c !== EQUALS) continue;
      const code = this.#code(hash, bytes, keyStart, at);
      const valueStart = ++at;
      at = wordEnd(bytes, at, end);
      if (code !== IGNORED) this.#set(code, bytes, valueStart, at);
    }
  }

  #set(code: number, bytes: Uint8Array, from: number, to: number): void {
    const values = this.values;
    if (code >= SAMPLE_BASE) {
      this.#sample(code - SAMPLE_BASE, bytes, from, to);
    } else if (code <= LAST_MM) {
      values[code] = this.#sink.pointer(bytes, from, to);
      if (code === Arg.mm) this.mmIsError = isErrorPointer(bytes, from, to);
    } else if (code <= LAST_POINTER) {
      values[code] = isNullPointer(bytes, from, to) ? NULL_MM : 1;
    } else if (code === Arg.flags) {
      values[code] = hasHexPrefix(bytes, from, to) ? readHexLow(bytes, from, to) : readInt32(bytes, from, to);
    } else {
      values[code] = readInt32(bytes, from, to);
    }
  }

  #sample(code: number, bytes: Uint8Array, from: number, to: number): void {
    const cpu = (code / 3) | 0;
    let slot = 0;
    while (slot < this.sampled && this.cpus[slot] !== cpu) slot++;
    if (slot === this.sampled) {
      this.cpus[slot] = cpu;
      this.samples.fill(NO_VALUE, slot * 3, slot * 3 + 3);
      this.switching[slot] = 0;
      this.sampled++;
    }
    const part = code % 3;
    const at = slot * 3 + part;
    if (part === 1) {
      this.samples[at] = readInt32(bytes, from, to);
    } else if (part === 0 && isSwitching(bytes, from, to)) {
      this.samples[at] = NULL_MM;
      this.switching[slot] = 1;
    } else {
      this.samples[at] = this.#sink.pointer(bytes, from, to);
    }
  }

  /** Slot of a key. Keys of one hash are told apart by their text; there are a handful in a trace. */
  #code(hash: number, bytes: Uint8Array, from: number, to: number): number {
    const known = this.#texts.get(hash);
    if (known !== undefined && equalsText(bytes, from, to, known)) return this.#codes.get(hash)!;
    const key = new TextDecoder().decode(bytes.subarray(from, to));
    const code = codeOf(key);
    if (known === undefined && this.#texts.size < MAX_KEYS) {
      this.#texts.set(hash, key);
      this.#codes.set(hash, code);
    }
    return code;
  }
}

function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] !== SPACE) i++;
  return i;
}

/** lm3 -> loaded_mm of CPU 3, lz3 -> is_lazy, cm3 -> rq->curr->mm. */
function codeOf(key: string): number {
  const named = ARG_NAMES.get(key);
  if (named !== undefined) return named;
  const match = /^(lm|lz|cm)(\d{1,4})$/.exec(key);
  if (match === null) return IGNORED;
  const cpu = Number(match[2]);
  if (cpu >= MAX_SAMPLED_CPUS) return IGNORED;
  return SAMPLE_BASE + cpu * 3 + (match[1] === "lm" ? 0 : match[1] === "lz" ? 1 : 2);
}

function equalsText(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** LOADED_MM_SWITCHING, arch/x86/include/asm/tlbflush.h: printed 0x1 or, by bpftrace, 1. */
function isSwitching(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes[to - 1] === 0x31 && (to - from === 1 || (to - from === 3 && hasHexPrefix(bytes, from, to)));
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
