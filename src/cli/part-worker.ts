// A worker thread's share of reading a trace: one part at a time. Loaded by piscina (slabs.ts), which calls readSlab
// with what pool.run() was given.
import { type Part, type PartState, readPart } from "../ingest/part.ts";

export interface PartTask {
  readonly state: PartState;
  /** Shared with the thread that filled it; whole lines. */
  readonly slab: Uint8Array;
}

/** As readPart. */
export function readSlab({ state, slab }: PartTask): Part | null {
  return readPart(state, slab, 0, slab.length);
}
