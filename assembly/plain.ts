// The scan of src/ingest/scan.ts and the heads of src/ingest/plain-head.ts and perf-script/plain-head.ts once more, in
// AssemblyScript with SIMD: WebAssembly reads text four times as fast as JavaScript does. Same rules, same results
// (test/ingest/kernel.test.ts); what it stops at, the TypeScript reads on from. `npm run kernel` builds it.
//
// Memory, filled by src/ingest/kernel.ts: the beginnings of events (printed bytes padded to 16 with masks), records of
// wanted lines, counters, and the text with 160 bytes of room behind it.

import {
  flagsEnd as generalFlagsEnd,
  flagsStart as generalFlagsStart,
  readPerf,
  readTaskPid,
  tgid as generalTgid,
  tid as generalTid,
} from "./heads";
import { comms, forget, pointers } from "./intern";
import {
  body,
  cpu,
  forgetLaidOut,
  forgetLayouts,
  hi,
  laidFlagsEnd,
  laidFlagsStart,
  laidTgid,
  laidTid,
  learnLayout,
  lo,
  readLaidOut,
} from "./layout";
import { addProbe } from "./probes";
import { contextOfFlags, forgetRows, MAX_ROWS, rows, setHead } from "./rows";
import { ACTIONS, ALIASES, findShape, KINDS, learnShapes, NAME_IDS, SKIPPED, shapeEnd } from "./shapes";
import { addSwitch } from "./switch";
import { addTask } from "./tasks";
import { BACKSLASH, CR, HASH, lineEnd, SPACE, spaces, TAB } from "./text";

export { COMM_LENGTHS, COMMS, MAX_COMMS, MAX_POINTERS, POINTERS } from "./intern";
export {
  ARG_COMM,
  ARG_TID,
  COMM,
  COUNT,
  CPU,
  CTX,
  FLAGS,
  KIND,
  LINE_NUMBERS,
  MAX_ROWS,
  MM,
  MM2,
  NS,
  ROW_ROOM,
  TGID,
  TID,
  USERS,
} from "./rows";
export { KEY_CODES, KEY_LENGTHS, KEYS, MAX_KEYS } from "./probes";
export { COMM_IDS, POINTER_IDS, translate } from "./translate";
export { ACTIONS, ALIASES, KINDS, LENGTHS, MAX_SHAPES, NAME_IDS, SHAPE_BYTES, SHAPES, SKIPPED } from "./shapes";

const SAFE_SECONDS: i32 = 9000000;
const MAX_LINE: usize = 1 << 20;
const BILLION: i64 = 1000000000;

export const MAX_RECORDS: i32 = 4096;
/** start, stop, line, tid, tgid, cpu, flagsStart, flagsEnd, hi, lo, name id, body; rows, names and pointers before it. */
export const RECORD_WORDS: i32 = 16;
export const RECORDS: usize = memory.data(4 * 16 * 4096, 16);
/** Set by scan: see the indices of kernel.ts. */
export const STATE: usize = memory.data(4 * 16, 16);
export const HEAP: usize = (__heap_base + 63) & ~63;

/** Of STATE. */
const LINE = 0;
const RECORD_COUNT = 4;
const MAX_SEEN_CPU = 8;
const HIGHEST = 12;
const LOWEST = 20;
const FIRST = 28;
const LAST = 36;
const STEPS_BACK = 44;
const SKIMMED = 48;
const ROW_COUNT = 52;
const COMM_COUNT = 56;
const POINTER_COUNT = 60;

// Of ACTIONS.
const SWITCH = 1;
const TASK = 3;

const PERF_SCRIPT = 2;

// Of the lines since reset(): times in ns since 1970 or boot, as the stamps have them; -1 for none.
let highest: i64 = -1;
let lowest: i64 = i64.MAX_VALUE;
let firstTime: i64 = -1;
let lastTime: i64 = -1;
let stepsBack: i32 = 0;
let skimmed: i32 = 0;
let maxCpu: i32 = -1;

/** Begins a part of that format (see scan) with the first `shapes` of SHAPES: forgets names, layouts and counts. */
export function reset(shapes: i32, format: i32): void {
  learnShapes(shapes);
  forget();
  forgetLayouts(format == PERF_SCRIPT ? TAB : HASH);
  highest = -1;
  lowest = i64.MAX_VALUE;
  firstTime = -1;
  lastTime = -1;
  stepsBack = 0;
  skimmed = 0;
  maxCpu = -1;
}

/** Whether a wanted line ends so that the line reader's own rules for ends have to see it. */
// @ts-expect-error: decorator
@inline
function endsOddly(end: usize, isFtrace: bool): bool {
  const last = load<u8>(end - 1);
  return last == CR || (isFtrace && last == BACKSLASH);
}

/** Of STATE: seconds and ns of a time. */
function storeTime(at: i32, time: i64): void {
  store<i32>(STATE + at, time < 0 ? -1 : i32(time / BILLION));
  store<i32>(STATE + at + 4, time < 0 ? 0 : i32(time % BILLION));
}

/**
 * scanPlain() over whole lines in [from, to): returns where it stopped, `to` when all are read, or when MAX_RECORDS
 * records or MAX_ROWS rows are full. `format`: 0 ftrace text, 1 trace-cmd report, 2 perf script. `irqColumn` as in
 * contextOfFlags().
 */
export function scan(from: usize, to: usize, format: i32, epoch: i32, irqColumn: i32): usize {
  forgetRows();
  forgetLaidOut();
  let at = from;
  let line = load<i32>(STATE + LINE);
  let count = 0;
  let high = highest;
  let low = lowest;
  let last = lastTime;
  let back = stepsBack;
  let isFull = false;
  while (at < to && !isFull) {
    const isLaid = readLaidOut(at);
    if (!isLaid) {
      if (!(format == PERF_SCRIPT ? readPerf(at) : readTaskPid(at))) break;
      learnLayout(at, format == PERF_SCRIPT);
    }
    const seconds = hi - epoch;
    if (seconds >= SAFE_SECONDS || seconds <= -SAFE_SECONDS) break;
    const begin = load<u8>(body) == SPACE ? spaces(body) : body;
    const shape = findShape(begin);
    if (shape < 0) break;
    const end = lineEnd(begin);
    if (end - at > MAX_LINE) break;
    const nameId = load<i32>(NAME_IDS + shape * 4);
    const time = i64(hi) * BILLION + i64(lo);
    let isCounted = true;
    if (nameId >= 0) {
      if (endsOddly(end, format == 0)) break;
      const event = spaces(shapeEnd);
      const tid = isLaid ? laidTid(at) : generalTid;
      const tgid = isLaid ? laidTgid(at) : generalTgid;
      const flagsStart = isLaid ? laidFlagsStart(at) : generalFlagsStart;
      const flagsEnd = isLaid ? laidFlagsEnd(at) : generalFlagsEnd;
      const action = load<i32>(ACTIONS + shape * 4);
      isCounted = false;
      if (action != 0) {
        const ctx = format == PERF_SCRIPT ? 0 : contextOfFlags(flagsStart, flagsEnd, irqColumn);
        setHead(tid, tgid, cpu, ctx, f64(seconds) * 1e9 + f64(lo), line + 1, at);
        isCounted =
          action == SWITCH
            ? addSwitch(event, end)
            : action == TASK
              ? addTask(load<i32>(KINDS + shape * 4), event, end)
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
      isFull = count == MAX_RECORDS || rows >= MAX_ROWS;
    }
    if (isCounted) {
      // Sink.skim()
      skimmed++;
      maxCpu = max(maxCpu, cpu);
      high = time > high ? time : high;
      low = time < low ? time : low;
      const skipped = SKIPPED + shape * 4;
      store<i32>(skipped, load<i32>(skipped) + 1);
    }
    // PerfScriptReader's watch over the time stamps.
    back += i32(time < last);
    if (last < 0) firstTime = time;
    last = time;
    line++;
    at = end + 1;
  }
  highest = high;
  lowest = low;
  lastTime = last;
  stepsBack = back;
  store<i32>(STATE + LINE, line);
  store<i32>(STATE + RECORD_COUNT, count);
  store<i32>(STATE + ROW_COUNT, rows);
  store<i32>(STATE + COMM_COUNT, comms);
  store<i32>(STATE + POINTER_COUNT, pointers);
  store<i32>(STATE + MAX_SEEN_CPU, maxCpu);
  store<i32>(STATE + STEPS_BACK, back);
  store<i32>(STATE + SKIMMED, skimmed);
  storeTime(HIGHEST, high);
  storeTime(LOWEST, low);
  storeTime(FIRST, firstTime);
  storeTime(LAST, last);
  return at;
}
