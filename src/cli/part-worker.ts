// A worker thread's share of reading a trace: one range of the file at a time. Loaded by piscina (text-file.ts), which
// calls rangeOf with what pool.run() was given.
import { deserialize } from "node:v8";
import { move, transferableSymbol, valueSymbol } from "piscina";
import { buffersOf, type PartState } from "../ingest/part.ts";
import { type Range, type RangePart, readRange } from "./part-range.ts";

export interface RangeTask extends Range {
  /** A PartState as node:v8 writes it, shared: copying it cost more than a tenth of the reading. */
  readonly state: SharedArrayBuffer;
  /** Another one for another state. */
  readonly stateId: number;
}

let known: { readonly id: number; readonly state: PartState } | undefined;

/** As readRange; columns are moved to the thread that asked, not copied. */
export function rangeOf(task: RangeTask): RangePart | null {
  if (known?.id !== task.stateId) {
    const state = deserialize(new Uint8Array(task.state).slice()) as PartState;
    known = { id: task.stateId, state };
  }
  const read = readRange(task, known.state);
  if (read === null) return null;
  return move({ [transferableSymbol]: buffersOf(read.part), [valueSymbol]: read }) as unknown as RangePart;
}
