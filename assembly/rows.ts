// Rows, column by column, and what the head of their line gives them. switch.ts and probes.ts make them.
import { commOf, MAX_COMM } from "./intern";
import { COMM_WIDTH } from "./layout";
import { COLON, SPACE } from "./text";

/** No further line is read when there are so many: one makes up to 101. */
export const MAX_ROWS: i32 = 8064;
/** Rows there is room for. */
export const ROW_ROOM: i32 = 8192;
/** Columns of an EventBatch. */
export const NS: usize = memory.data(8 * 8192, 16);
export const KIND: usize = memory.data(8192, 16);
export const CPU: usize = memory.data(2 * 8192, 16);
export const CTX: usize = memory.data(8192, 16);
export const TID: usize = memory.data(4 * 8192, 16);
export const TGID: usize = memory.data(4 * 8192, 16);
export const COMM: usize = memory.data(4 * 8192, 16);
export const ARG_TID: usize = memory.data(4 * 8192, 16);
export const ARG_COMM: usize = memory.data(4 * 8192, 16);
export const MM: usize = memory.data(4 * 8192, 16);
export const MM2: usize = memory.data(4 * 8192, 16);
export const USERS: usize = memory.data(4 * 8192, 16);
export const COUNT: usize = memory.data(4 * 8192, 16);
export const FLAGS: usize = memory.data(4 * 8192, 16);
export const LINE_NUMBERS: usize = memory.data(4 * 8192, 16);

/** Rows written since the TypeScript took them. */
export let rows: i32 = 0;

export function forgetRows(): void {
  rows = 0;
  lastName = -1;
}

export const NONE: i32 = -1;
export const NO_MM: i32 = -1;
export const NO_VALUE: i32 = i32.MIN_VALUE;
const CTX_TASK: i32 = 1;
const CTX_IRQ: i32 = 2;
const CTX_ALIAS: i32 = 4;

/** Head of the line a row is made of; set by the caller. */
export let headTid: i32 = 0;
let headTgid: i32 = 0;
let headCpu: i32 = 0;
let headCtx: i32 = 0;
let headNs: f64 = 0;
let headLine: i32 = 0;
let headStart: usize = 0;
/** The 16 columns of the name interned last for a head, and its id; -1 for none. */
const LAST_NAME: usize = memory.data(16, 16);
let lastName: i32 = -1;

/** The flag of trace_print_lat_fmt()'s hardirq/softirq column as CTX_* bits: contextOf() of task-pid-head.ts. */
function contextOf(flag: u8): i32 {
  if (flag == 0x2e) return CTX_TASK;
  return flag == 0x68 || flag == 0x48 || flag == 0x73 || flag == 0x5a || flag == 0x7a ? CTX_IRQ : 0;
}

/** contextOfFlags(). */
// @ts-expect-error: decorator
@inline
export function contextOfFlags(from: usize, to: usize, irqColumn: i32): i32 {
  if (from == to) return 0;
  const column = irqColumn >= 0 ? irqColumn : to - from == 7 ? 3 : 2;
  return contextOf(load<u8>(from + column));
}

/** Takes over the head of the line at `start`. */
// @ts-expect-error: decorator
@inline
export function setHead(tid: i32, tgid: i32, cpu: i32, ctx: i32, ns: f64, line: i32, start: usize): void {
  headTid = tid;
  headTgid = tgid;
  headCpu = cpu;
  headCtx = ctx;
  headNs = ns;
  headLine = line;
  headStart = start;
}

/** Id of the head's name, without the blanks around it; -1 as comm(). */
export function headComm(): i32 {
  const text = v128.load(headStart);
  if (lastName >= 0 && i8x16.all_true(i8x16.eq(text, v128.load(LAST_NAME)))) return lastName;
  const inked = i8x16.bitmask(i8x16.ne(text, i8x16.splat(SPACE)));
  const end = headStart + COMM_WIDTH;
  lastName = inked == 0 ? comm(end, end) : comm(headStart + ctz(inked), end + 16 - clz(inked));
  v128.store(LAST_NAME, text);
  return lastName;
}

/** Id of the name [start, end); -1 for one whose reading is left to the sink: ":123", and what is too long. */
export function comm(start: usize, end: usize): i32 {
  if (end - start > MAX_COMM || load<u8>(start) == COLON) return -1;
  return commOf(start, end);
}

/** Sink.add(): the row whose columns other than the head's are absent. */
// @ts-expect-error: decorator
@inline
export function add(kind: i32, tid: i32, name: i32, isAlias: i32): i32 {
  const row = rows++;
  store<f64>(NS + row * 8, headNs);
  store<u8>(KIND + row, u8(kind));
  store<i16>(CPU + row * 2, i16(headCpu));
  store<u8>(CTX + row, u8(headCtx | (isAlias ? CTX_ALIAS : 0)));
  const at = usize(row) * 4;
  store<i32>(TID + at, tid);
  store<i32>(TGID + at, headTgid);
  store<i32>(COMM + at, name);
  store<i32>(ARG_TID + at, NONE);
  store<i32>(ARG_COMM + at, NONE);
  store<i32>(MM + at, NO_MM);
  store<i32>(MM2 + at, NO_MM);
  store<i32>(USERS + at, NO_VALUE);
  store<i32>(COUNT + at, NO_VALUE);
  store<i32>(FLAGS + at, 0);
  store<i32>(LINE_NUMBERS + at, headLine);
  return row;
}
