// The scan of src/ingest/scan.ts and the heads of src/ingest/plain-head.ts and perf-script/plain-head.ts once more, in
// AssemblyScript with SIMD: WebAssembly reads text four times as fast as JavaScript does. Same rules, same results
// (test/ingest/kernel.test.ts); what it stops at, the TypeScript reads on from. `npm run kernel` builds it.
//
// Memory, filled by src/ingest/kernel.ts: the beginnings of events (printed bytes padded to 16 with masks), a table of
// guesses, counters, records of wanted lines, and the text with 32 bytes of room behind it.

import { comms, forget, pointers } from "./intern";
import { addProbe, addSwitch, contextOfFlags, forgetRows, MAX_ROWS, rows, setHead } from "./rows";
import { DASH, holdsLineFeed, isDigit, lineEnd, LPAREN, MAX_CPU, MAX_PID, number, RPAREN, SPACE, spaces, stop } from "./text";

export { COMM_LENGTHS, COMMS, MAX_COMMS, MAX_POINTERS, POINTERS } from "./intern";
export {
  ARG_COMM,
  ARG_TID,
  COMM,
  COUNT,
  CPU,
  CTX,
  FLAGS,
  KEY_CODES,
  KEY_LENGTHS,
  KEYS,
  KIND,
  LINE_NUMBERS,
  MAX_KEYS,
  MAX_ROWS,
  MM,
  MM2,
  NS,
  TGID,
  TID,
  USERS,
} from "./rows";

const HASH: u8 = 0x23;
const DOT: u8 = 0x2e;
const SLASH: u8 = 0x2f;
const COLON: u8 = 0x3a;
const LBRACKET: u8 = 0x5b;
const RBRACKET: u8 = 0x5d;
const TAB: u8 = 9;
const CR: u8 = 13;
const BACKSLASH: u8 = 0x5c;

const COMM_WIDTH: usize = 16;
const MAX_SECOND_DIGITS: usize = 9;
const SAFE_SECONDS: i32 = 9000000;
const MAX_LINE: usize = 1 << 20;
const BUCKETS: i32 = 1024;
const WAYS: i32 = 4;

/** Bytes of a beginning: text and mask, padded. */
export const SHAPE_BYTES: i32 = 128;
const TEXT_BYTES: i32 = 64;
export const MAX_SHAPES: i32 = 1024;
export const MAX_RECORDS: i32 = 4096;
/** start, stop, line, tid, tgid, cpu, flagsStart, flagsEnd, hi, lo, name id, body; rows, names and pointers before it. */
export const RECORD_WORDS: i32 = 16;

/** Texts and masks by shape. */
export const SHAPES: usize = memory.data(SHAPE_BYTES * MAX_SHAPES, 16);
/** By shape: length, name id (-1: skipped), lines that made no record. */
export const LENGTHS: usize = memory.data(4 * MAX_SHAPES, 16);
export const NAME_IDS: usize = memory.data(4 * MAX_SHAPES, 16);
export const SKIPPED: usize = memory.data(4 * MAX_SHAPES, 16);
/** By shape: how its lines become rows (a record; sched_switch; a probe), a probe's kind, whether its rows are aliases. */
export const ACTIONS: usize = memory.data(4 * MAX_SHAPES, 16);
export const KINDS: usize = memory.data(4 * MAX_SHAPES, 16);
export const ALIASES: usize = memory.data(4 * MAX_SHAPES, 16);
/** Guesses: shape id + 1, 0 for none. */
const GUESSES: usize = memory.data(4 * 1024 * 4, 16);
export const RECORDS: usize = memory.data(4 * 16 * 4096, 16);
/** Set by scan: see the indices of kernel.ts. */
export const STATE: usize = memory.data(4 * 16, 16);
export const HEAP: usize = (__heap_base + 63) & ~63;

/** Of STATE. */
const LINE = 0;
const RECORD_COUNT = 4;
const MAX_SEEN_CPU = 8;
const HIGHEST_HI = 12;
const HIGHEST_LO = 16;
const LOWEST_HI = 20;
const LOWEST_LO = 24;
const FIRST_HI = 28;
const FIRST_LO = 32;
const LAST_HI = 36;
const LAST_LO = 40;
const STEPS_BACK = 44;
const SKIMMED = 48;
const ROW_COUNT = 52;
const COMM_COUNT = 56;
const POINTER_COUNT = 60;

// Of ACTIONS.
const SWITCH = 1;
const PROBE = 2;

let shapeCount: i32 = 0;

// What the head read last says.
let tid: i32 = 0;
let tgid: i32 = 0;
let cpu: i32 = 0;
let flagsStart: usize = 0;
let flagsEnd: usize = 0;
let hi: i32 = 0;
let lo: i32 = 0;
let body: usize = 0;
let shapeEnd: usize = 0;

/** Begins a part: forgets shapes and counts. */
export function reset(shapes: i32): void {
  shapeCount = shapes;
  memory.fill(GUESSES, 0, 4 * 1024 * 4);
  memory.fill(SKIPPED, 0, 4 * MAX_SHAPES);
  memory.fill(STATE, 0, 64);
  store<i32>(STATE + MAX_SEEN_CPU, -1);
  store<i32>(STATE + HIGHEST_HI, -1);
  store<i32>(STATE + LOWEST_HI, i32.MAX_VALUE);
  store<i32>(STATE + FIRST_HI, -1);
  store<i32>(STATE + LAST_HI, -1);
  forget();
}

/** readPlainTime(). */
function readTime(at: usize): bool {
  if (!isDigit(load<u8>(at))) return false;
  hi = number(at, 99999999);
  if (load<u8>(stop) != DOT || stop - at > MAX_SECOND_DIGITS) return false;
  const fraction = stop + 1;
  lo = number(fraction, 99999999);
  const digits = stop - fraction;
  if (digits == 6) lo *= 1000;
  else if (digits != 9) return false;
  if (load<u8>(stop) != COLON || load<u8>(stop + 1) != SPACE) return false;
  body = spaces(stop + 2);
  return true;
}

/** readPlainHead(). */
function readTaskPid(start: usize): bool {
  let i = start + COMM_WIDTH;
  if (load<u8>(i) != DASH || load<u8>(start) == HASH || holdsLineFeed(start)) return false;
  if (!isDigit(load<u8>(++i))) return false;
  tid = number(i, MAX_PID);
  i = spaces(stop);
  tgid = -1;
  if (load<u8>(i) == LPAREN) {
    i = spaces(i + 1);
    if (isDigit(load<u8>(i))) {
      tgid = number(i, MAX_PID);
      i = stop;
    }
    while (load<u8>(i) == DASH) i++;
    if (load<u8>(i) != RPAREN) return false;
    i = spaces(i + 1);
  }
  if (load<u8>(i) != LBRACKET || !isDigit(load<u8>(++i))) return false;
  cpu = number(i, MAX_CPU);
  if (load<u8>(stop) != RBRACKET || load<u8>(stop + 1) != SPACE) return false;
  if (cpu > MAX_CPU || tid > MAX_PID || tgid > MAX_PID) return false;
  i = spaces(stop + 2);
  flagsStart = i;
  let c = load<u8>(i);
  while (c > SPACE && c != COLON) c = load<u8>(++i);
  if (c == COLON) {
    flagsEnd = flagsStart;
    return readTime(flagsStart);
  }
  flagsEnd = i;
  if (c != SPACE || i - flagsStart < 3 || i - flagsStart > 9) return false;
  return readTime(spaces(i));
}

/** readTask() of perf-script/plain-head.ts: the number, NONE for a negative one, above MAX_PID for no task's. */
// @ts-ignore: decorator
@inline
function task(at: usize): i32 {
  const isNone = load<u8>(at) == DASH;
  const from = at + usize(isNone);
  if (!isDigit(load<u8>(from))) return MAX_PID + 1;
  const value = number(from, MAX_PID);
  return isNone ? -1 : value;
}

/** readPlainPerfHead(). */
function readPerf(start: usize): bool {
  let i = start + COMM_WIDTH;
  if (load<u8>(i) != SPACE || load<u8>(start) == TAB || load<u8>(i + 1) == LBRACKET) return false;
  if (holdsLineFeed(start)) return false;
  tid = task(spaces(i));
  tgid = -1;
  if (tid > MAX_PID) return false;
  if (load<u8>(stop) == SLASH) {
    tgid = tid;
    tid = task(spaces(stop + 1));
  }
  if (tid > MAX_PID || load<u8>(stop) != SPACE) return false;
  i = spaces(stop);
  if (load<u8>(i) != LBRACKET || !isDigit(load<u8>(++i))) return false;
  cpu = number(i, MAX_CPU);
  if (load<u8>(stop) != RBRACKET || cpu > MAX_CPU) return false;
  flagsStart = flagsEnd = 0;
  return readTime(spaces(stop + 1));
}

/** Whether shape `id` stands at `at`. */
// @ts-expect-error: decorator
@inline
function stands(id: i32, at: usize): bool {
  const shape = SHAPES + id * SHAPE_BYTES;
  const length = load<i32>(LENGTHS + id * 4);
  for (let i = 0; i < length; i += 16) {
    const differs = v128.and(v128.xor(v128.load(at + i), v128.load(shape + i)), v128.load(shape + TEXT_BYTES + i));
    if (v128.any_true(differs)) return false;
  }
  return true;
}

/** EventShapes.find(), all of whose beginnings are taught. */
function findShape(at: usize): i32 {
  const sample =
    u32(load<u8>(at, 2)) ^ (u32(load<u8>(at, 5)) << 7) ^ (u32(load<u8>(at, 10)) << 14) ^ (u32(load<u8>(at, 12)) << 21);
  const bucket = GUESSES + ((sample * 0x9e3779b1) >>> 22) * (WAYS * 4);
  let way = 0;
  for (; way < WAYS; way++) {
    const id = load<i32>(bucket + way * 4) - 1;
    if (id < 0) break;
    if (stands(id, at)) {
      shapeEnd = at + load<i32>(LENGTHS + id * 4);
      return id;
    }
  }
  for (let id = 0; id < shapeCount; id++) {
    if (!stands(id, at)) continue;
    store<i32>(bucket + min(way, WAYS - 1) * 4, id + 1);
    shapeEnd = at + load<i32>(LENGTHS + id * 4);
    return id;
  }
  return -1;
}

/** PerfScriptReader's watch over the time stamps. */
// @ts-expect-error: decorator
@inline
function watchTime(): void {
  const lastHi = load<i32>(STATE + LAST_HI);
  if (lastHi < 0) {
    store<i32>(STATE + FIRST_HI, hi);
    store<i32>(STATE + FIRST_LO, lo);
  } else if (hi < lastHi || (hi == lastHi && lo < load<i32>(STATE + LAST_LO))) {
    store<i32>(STATE + STEPS_BACK, load<i32>(STATE + STEPS_BACK) + 1);
  }
  store<i32>(STATE + LAST_HI, hi);
  store<i32>(STATE + LAST_LO, lo);
}

/** Sink.skim(). */
// @ts-expect-error: decorator
@inline
function skim(): void {
  store<i32>(STATE + SKIMMED, load<i32>(STATE + SKIMMED) + 1);
  if (cpu > load<i32>(STATE + MAX_SEEN_CPU)) store<i32>(STATE + MAX_SEEN_CPU, cpu);
  const highest = load<i32>(STATE + HIGHEST_HI);
  if (hi > highest || (hi == highest && lo > load<i32>(STATE + HIGHEST_LO))) {
    store<i32>(STATE + HIGHEST_HI, hi);
    store<i32>(STATE + HIGHEST_LO, lo);
  }
  const lowest = load<i32>(STATE + LOWEST_HI);
  if (hi < lowest || (hi == lowest && lo < load<i32>(STATE + LOWEST_LO))) {
    store<i32>(STATE + LOWEST_HI, hi);
    store<i32>(STATE + LOWEST_LO, lo);
  }
}

/** Whether a wanted line ends so that the line reader's own rules for ends have to see it. */
// @ts-expect-error: decorator
@inline
function endsOddly(end: usize, isFtrace: bool): bool {
  const last = load<u8>(end - 1);
  return last == CR || (isFtrace && last == BACKSLASH);
}

/**
 * scanPlain() over whole lines in [from, to): returns where it stopped, `to` when all are read, or when MAX_RECORDS
 * records or MAX_ROWS rows are full. `format`: 0 ftrace text, 1 trace-cmd report, 2 perf script. `irqColumn` as in
 * contextOfFlags().
 */
export function scan(from: usize, to: usize, format: i32, epoch: i32, irqColumn: i32): usize {
  forgetRows();
  let at = from;
  let line = load<i32>(STATE + LINE);
  let count = 0;
  while (at < to && count < MAX_RECORDS && rows < MAX_ROWS) {
    if (!(format == 2 ? readPerf(at) : readTaskPid(at))) break;
    const seconds = hi - epoch;
    if (seconds >= SAFE_SECONDS || seconds <= -SAFE_SECONDS) break;
    const shape = findShape(body);
    if (shape < 0) break;
    const end = lineEnd(shapeEnd);
    if (end - at > MAX_LINE) break;
    const nameId = load<i32>(NAME_IDS + shape * 4);
    let isCounted = nameId < 0;
    if (nameId >= 0) {
      if (endsOddly(end, format == 0)) break;
      const event = spaces(shapeEnd);
      const action = load<i32>(ACTIONS + shape * 4);
      if (action != 0) {
        const ctx = format == 2 ? 0 : contextOfFlags(flagsStart, flagsEnd, irqColumn);
        setHead(tid, tgid, cpu, ctx, f64(seconds) * 1e9 + f64(lo), line + 1, at, at + COMM_WIDTH);
        isCounted =
          action == SWITCH
            ? addSwitch(event, end)
            : addProbe(load<i32>(KINDS + shape * 4), load<i32>(ALIASES + shape * 4), event, end, shape);
      }
      if (!isCounted) {
        const record = RECORDS + count * (RECORD_WORDS * 4);
        store<i32>(record, i32(at), 0);
        store<i32>(record, i32(end), 4);
        store<i32>(record, line + 1, 8);
        store<i32>(record, tid, 12);
        store<i32>(record, tgid, 16);
        store<i32>(record, cpu, 20);
        store<i32>(record, i32(flagsStart), 24);
        store<i32>(record, i32(flagsEnd), 28);
        store<i32>(record, hi, 32);
        store<i32>(record, lo, 36);
        store<i32>(record, nameId, 40);
        store<i32>(record, i32(event), 44);
        store<i32>(record, rows, 48);
        store<i32>(record, comms, 52);
        store<i32>(record, pointers, 56);
        count++;
      }
    }
    if (isCounted) {
      skim();
      const skipped = SKIPPED + shape * 4;
      store<i32>(skipped, load<i32>(skipped) + 1);
    }
    if (format == 2) watchTime();
    line++;
    at = end + 1;
  }
  store<i32>(STATE + LINE, line);
  store<i32>(STATE + RECORD_COUNT, count);
  store<i32>(STATE + ROW_COUNT, rows);
  store<i32>(STATE + COMM_COUNT, comms);
  store<i32>(STATE + POINTER_COUNT, pointers);
  return at;
}
