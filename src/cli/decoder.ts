// What every decompressor is to trace-input.ts: bytes in, bytes out, and at most one defect.
import type { ProblemKind } from "../base/problem.ts";

/** Why decoding stopped before the end of the file; at most one a file. */
export interface Defect {
  readonly kind: ProblemKind;
  readonly detail: string;
}

/** Push compressed chunks, get decoded bytes through the callback; `end` after the last one. */
export interface Decoder {
  push(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** Known after `end`, or earlier when nothing more can be decoded. */
  readonly defect: Defect | undefined;
}
