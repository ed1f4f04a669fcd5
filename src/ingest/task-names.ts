// Task names by tid, for formats that keep them apart from the events: saved_cmdlines of trace.dat, COMM records of perf.

import { isPid } from "./limits.ts";
import { digitsEnd, LF, readDecimal, SPACE, skipSpaces } from "./numbers.ts";
import type { Sink } from "./sink.ts";

/** Names known so far. */
export class TaskNames {
  readonly #sink: Sink;
  readonly #unknown: number;
  #ids: Int32Array = new Int32Array(1024).fill(-1);
  /** Told of every name that is set. */
  onSet: (tid: number, id: number) => void = () => {};

  constructor(sink: Sink) {
    this.#sink = sink;
    this.#unknown = sink.comms.internText("<...>");
    this.set(0, sink.comms.internText("<idle>"));
  }

  /** Id of a task's name; that of "<...>" when it is not known. */
  of(tid: number): number {
    const id = tid >= 0 && tid < this.#ids.length ? this.#ids[tid]! : -1;
    return id < 0 ? this.#unknown : id;
  }

  /** Ids by tid, -1 where none is known, and that of an unknown name. Valid until the next set(). */
  table(): { readonly ids: Int32Array; readonly unknown: number } {
    return { ids: this.#ids, unknown: this.#unknown };
  }

  /** Gives a task a name, by id; -1 forgets it. */
  set(tid: number, id: number): void {
    if (!isPid(tid)) return;
    if (tid >= this.#ids.length) {
      const grown = new Int32Array(Math.max(tid + 1, this.#ids.length * 2)).fill(-1);
      grown.set(this.#ids);
      this.#ids = grown;
    }
    this.#ids[tid] = id;
    this.onSet(tid, id);
  }

  /** Reads "1828 bash" lines; a name may hold spaces. */
  readSaved(text: Uint8Array): void {
    for (let at = 0; at < text.length; ) {
      const newline = text.indexOf(LF, at);
      const end = newline < 0 ? text.length : newline;
      const from = skipSpaces(text, at, end);
      const stop = digitsEnd(text, from, end);
      if (stop > from && stop - from < 9 && text[stop] === SPACE && stop + 1 < end) {
        this.set(readDecimal(text, from, stop), this.#sink.comm(text, stop + 1, end));
      }
      at = end + 1;
    }
  }
}
