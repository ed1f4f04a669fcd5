// The fields of one LTTng event that rows are made of, by slot. Filled by the babeltrace text reader and by the CTF
// reader, read by rows.ts; one object per trace, overwritten event by event.

/** Slots. Those from `contextTid` on are the event's context, where the recording has any. */
export const Slot = {
  tid: 0,
  pid: 1,
  comm: 2,
  name: 3,
  prevComm: 4,
  prevTid: 5,
  prevState: 6,
  nextComm: 7,
  nextTid: 8,
  parentTid: 9,
  parentPid: 10,
  childComm: 11,
  childTid: 12,
  childPid: 13,
  oldTid: 14,
  origCpu: 15,
  destCpu: 16,
  cloneFlags: 17,
  ret: 18,
  type: 19,
  status: 20,
  ppid: 21,
  contextTid: 22,
  contextPid: 23,
  contextComm: 24,
} as const;
export type Slot = (typeof Slot)[keyof typeof Slot];
const SLOTS = 25;

/** Slot of a payload field; CTF writes its name with an underscore before it, babeltrace prints it without. */
export const PAYLOAD_SLOTS: ReadonlyMap<string, Slot> = new Map<string, Slot>([
  ["tid", Slot.tid],
  ["pid", Slot.pid],
  ["comm", Slot.comm],
  ["name", Slot.name],
  ["prev_comm", Slot.prevComm],
  ["prev_tid", Slot.prevTid],
  ["prev_state", Slot.prevState],
  ["next_comm", Slot.nextComm],
  ["next_tid", Slot.nextTid],
  ["parent_tid", Slot.parentTid],
  ["parent_pid", Slot.parentPid],
  ["child_comm", Slot.childComm],
  ["child_tid", Slot.childTid],
  ["child_pid", Slot.childPid],
  ["old_tid", Slot.oldTid],
  ["orig_cpu", Slot.origCpu],
  ["dest_cpu", Slot.destCpu],
  ["clone_flags", Slot.cloneFlags],
  ["flags", Slot.cloneFlags],
  ["ret", Slot.ret],
  ["type", Slot.type],
  ["status", Slot.status],
  ["ppid", Slot.ppid],
]);

/** Slot of a context field. */
export const CONTEXT_SLOTS: ReadonlyMap<string, Slot> = new Map<string, Slot>([
  ["tid", Slot.contextTid],
  ["pid", Slot.contextPid],
  ["procname", Slot.contextComm],
]);

/** Values of one event. A number that is absent is NaN, a text that is absent has its end before its start. */
export class LttngFields {
  /** Where the texts lie. */
  bytes: Uint8Array = new Uint8Array(0);
  readonly values: Float64Array = new Float64Array(SLOTS).fill(Number.NaN);
  readonly starts: Int32Array = new Int32Array(SLOTS);
  readonly ends: Int32Array = new Int32Array(SLOTS).fill(-1);

  clear(): void {
    // Loops: fill() is a call, and this runs once an event.
    for (let slot = 0; slot < SLOTS; slot++) this.values[slot] = Number.NaN;
    for (let slot = 0; slot < SLOTS; slot++) this.ends[slot] = -1;
  }

  setText(slot: Slot, start: number, end: number): void {
    this.starts[slot] = start;
    this.ends[slot] = end;
  }

  hasText(slot: Slot): boolean {
    return this.ends[slot]! >= this.starts[slot]!;
  }
}
