// Streaming zstd: frames are found by zstd-frames.ts, decoded by fzstd, verified with xxh64.ts. A cut or damaged
// file gives what could be decoded before, and one Defect.
import { Decompress } from "fzstd";
import type { Decoder, Defect } from "./decoder.ts";
import { CORRUPT_COMPRESSION, TRAILING_GARBAGE, TRUNCATED_COMPRESSION } from "./problems.ts";
import { Xxh64 } from "./xxh64.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/** RFC 8878: a frame 28 b5 2f fd, or a skippable one 5x 2a 4d 18 as pzstd writes first. */
export function isZstd(head: Uint8Array): boolean {
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return true;
  return (head[0] ?? 0) >> 4 === 5 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
}

/** zstd decoder. fzstd keeps references to pushed chunks: they must not be reused by the caller. */
export class ZstdDecoder implements Decoder {
  defect: Defect | undefined;
  readonly #onBytes: (bytes: Uint8Array) => void;
  readonly #frames: ZstdFrames = new ZstdFrames();
  #decompress: Decompress | undefined;
  #hash: Xxh64 = new Xxh64();
  #pushed = 0;
  #decoded = 0;

  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#onBytes = onBytes;
  }

  async push(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length && this.defect === undefined; ) {
      const segment = this.#frames.next(chunk, at);
      if (segment.kind === "bad") {
        this.#refuse();
        return;
      }
      if (segment.kind === "data") this.#decode(chunk.subarray(at, segment.end), segment.isLast);
      if (segment.isLast && segment.checksum !== undefined && segment.checksum !== this.#hash.low32()) {
        this.#stop("the checksum of a frame differs");
      }
      if (segment.isLast) this.#hash = new Xxh64();
      this.#pushed += segment.end - at;
      at = segment.end;
    }
  }

  async end(): Promise<void> {
    if (this.defect !== undefined || this.#frames.isBetweenFrames) return;
    this.defect = {
      kind: TRUNCATED_COMPRESSION,
      detail: `zstd, byte ${this.#pushed}: the file ends inside a frame`,
    };
  }

  #decode(bytes: Uint8Array, isLast: boolean): void {
    this.#decompress ??= new Decompress((decoded) => {
      if (decoded.length === 0) return;
      this.#hash.update(decoded);
      this.#decoded += decoded.length;
      this.#onBytes(decoded);
    });
    const decompress = this.#decompress;
    if (isLast) this.#decompress = undefined;
    const error = fzstdError(() => decompress.push(bytes, isLast));
    if (error !== "") this.#stop(error);
  }

  #stop(what: string): void {
    this.defect ??= { kind: CORRUPT_COMPRESSION, detail: `zstd, near byte ${this.#pushed}: ${what}` };
  }

  /** No frame begins where one should: garbage after the trace, or damage in the middle of it. */
  #refuse(): void {
    if (this.#decompress !== undefined || this.#decoded === 0) this.#stop("not a zstd block");
    else
      this.defect = {
        kind: TRAILING_GARBAGE,
        detail: `zstd, byte ${this.#pushed}: no frame after the last one`,
      };
  }
}

/** fzstd's own errors carry a number as code; anything else (an error of the callee) passes through. */
function fzstdError(call: () => void): string {
  try {
    call();
    return "";
  } catch (error) {
    if (error instanceof Error && "code" in error && typeof error.code === "number") return error.message;
    throw error;
  }
}
