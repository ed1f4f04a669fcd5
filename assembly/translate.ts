// The rows' names and pointers by the ids of the sink, which the TypeScript writes down as it learns them.
import { MAX_COMMS } from "./intern";
import { ARG_COMM, COMM, MM, MM2 } from "./rows";

/** The sink's ids, by the kernel's. */
export const COMM_IDS: usize = memory.data(4 * 4096, 16);
export const POINTER_IDS: usize = memory.data(4 * 16384, 16);

/** Gives rows [from, to) the sink's ids. Absent ones are negative and stay; names from MAX_COMMS on are the sink's id and that. */
export function translate(from: i32, to: i32): void {
  const end = usize(to) * 4;
  for (let row = usize(from) * 4; row < end; row += 4) {
    store<i32>(COMM + row, nameOf(load<i32>(COMM + row)));
    store<i32>(ARG_COMM + row, nameOf(load<i32>(ARG_COMM + row)));
    store<i32>(MM + row, pointerOf(load<i32>(MM + row)));
    store<i32>(MM2 + row, pointerOf(load<i32>(MM2 + row)));
  }
}

// @ts-expect-error: decorator
@inline
function nameOf(id: i32): i32 {
  if (id < 0) return id;
  return id >= MAX_COMMS ? id - MAX_COMMS : load<i32>(COMM_IDS + usize(id) * 4);
}

// @ts-expect-error: decorator
@inline
function pointerOf(id: i32): i32 {
  return id < 0 ? id : load<i32>(POINTER_IDS + usize(id) * 4);
}
