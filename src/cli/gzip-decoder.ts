// Streaming gzip over node:zlib, for files made of several members. A cut or damaged file gives what could be
// decoded before, and one Defect.
import { constants, crc32, createInflateRaw } from "node:zlib";
import type { ProblemKind } from "../base/problem.ts";
import type { Decoder, Defect } from "./decoder.ts";
import { CORRUPT_COMPRESSION, TRAILING_GARBAGE, TRUNCATED_COMPRESSION } from "./problems.ts";

/** RFC 1952: magic 1f 8b, method 8. */
export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 0x08;
}

const MEMBER_HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
const FLAG_CRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;

/**
 * gzip decoder, member by member. node:zlib's own Gunzip drops the decoded text of the chunk in which garbage
 * after the last member begins, so the members are taken apart here and only deflate is left to zlib.
 */
export class GzipDecoder implements Decoder {
  defect: Defect | undefined;
  readonly #onBytes: (bytes: Uint8Array) => void;
  #state: "header" | "body" | "trailer" = "header";
  #held: Uint8Array = new Uint8Array(0);
  #inflater: Inflater | undefined;
  #members = 0;
  #pushed = 0;

  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#onBytes = onBytes;
  }

  async push(chunk: Uint8Array): Promise<void> {
    this.#pushed += chunk.length;
    let rest = this.#held.length === 0 ? chunk : concat(this.#held, chunk);
    this.#held = new Uint8Array(0);
    while (rest.length > 0 && this.defect === undefined) {
      const before = rest.length;
      const state = this.#state;
      if (state === "body") rest = await this.#body(rest);
      else rest = state === "header" ? this.#header(rest) : this.#trailer(rest);
      if (rest.length === before && this.#state === state) {
        this.#held = rest.slice();
        return;
      }
    }
  }

  async end(): Promise<void> {
    if (this.defect !== undefined) return;
    if (this.#state === "body") await this.#inflater?.close();
    const isComplete = this.#state === "header" && this.#members > 0;
    if (!isComplete) this.#stop(TRUNCATED_COMPRESSION, "ends inside a member");
    else if (this.#held.length > 0)
      this.#stop(TRAILING_GARBAGE, `${this.#held.length} bytes after the last member`);
  }

  #stop(kind: ProblemKind, what: string): void {
    this.defect = { kind, detail: `gzip, near byte ${this.#pushed}: ${what}` };
  }

  /** Consumes one member header; returns its argument when more bytes are needed. */
  #header(bytes: Uint8Array): Uint8Array {
    if (bytes.length < MEMBER_HEADER_BYTES) return bytes;
    if (!isGzip(bytes)) {
      // Tape-style padding with zero bytes is part of the format in practice (gzip(1) ignores it too).
      if (bytes.some((byte) => byte !== 0))
        this.#stop(TRAILING_GARBAGE, "no member header after the last member");
      return new Uint8Array(0);
    }
    const end = memberHeaderEnd(bytes);
    if (end < 0) return bytes;
    this.#inflater = new Inflater(this.#onBytes);
    this.#state = "body";
    return bytes.subarray(end);
  }

  async #body(bytes: Uint8Array): Promise<Uint8Array> {
    const inflater = this.#inflater;
    if (inflater === undefined) return bytes;
    const used = await inflater.write(bytes);
    if (inflater.error !== "") {
      this.#stop(CORRUPT_COMPRESSION, inflater.error);
      return new Uint8Array(0);
    }
    if (inflater.isDone) this.#state = "trailer";
    return bytes.subarray(used);
  }

  #trailer(bytes: Uint8Array): Uint8Array {
    if (bytes.length < TRAILER_BYTES) return bytes;
    const expected = new DataView(bytes.buffer, bytes.byteOffset, TRAILER_BYTES).getUint32(0, true);
    if (expected !== this.#inflater?.crc) this.#stop(CORRUPT_COMPRESSION, "the checksum of a member differs");
    this.#members++;
    this.#state = "header";
    return bytes.subarray(TRAILER_BYTES);
  }
}

/** One deflate stream. */
class Inflater {
  isDone = false;
  error = "";
  crc = 0;
  /** What the reader of the decoded bytes threw. */
  #refusal: { readonly error: unknown } | undefined;
  readonly #zlib = createInflateRaw({ chunkSize: 1 << 18, finishFlush: constants.Z_SYNC_FLUSH });

  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#zlib.on("data", (bytes: Uint8Array) => {
      this.crc = crc32(bytes, this.crc);
      if (this.#refusal !== undefined) return;
      try {
        onBytes(bytes);
      } catch (error) {
        // Thrown from zlib's callback it would end the process: write() and close() throw it instead.
        this.#refusal = { error };
      }
    });
    this.#zlib.on("end", () => {
      this.isDone = true;
    });
    this.#zlib.on("error", (error) => {
      this.error = error.message;
    });
  }

  /** Number of bytes used: all of them unless the stream ended or is damaged. */
  async write(bytes: Uint8Array): Promise<number> {
    const before = this.#zlib.bytesWritten;
    await this.#settled((done) => this.#zlib.write(bytes, () => done()));
    this.#rethrow();
    return this.#zlib.bytesWritten - before;
  }

  /** Delivers what is still inside; used when the file ends before the stream does. */
  async close(): Promise<void> {
    if (!this.isDone && this.error === "") await this.#settled(() => this.#zlib.end());
    this.#rethrow();
  }

  #rethrow(): void {
    if (this.#refusal !== undefined) throw this.#refusal.error;
  }

  async #settled(start: (done: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#zlib.off("end", done);
        this.#zlib.off("error", done);
        resolve();
      };
      this.#zlib.once("end", done);
      this.#zlib.once("error", done);
      start(done);
    });
  }
}

/** End of the member header (exclusive) at the start of `bytes`, or -1 when it is not all there. */
function memberHeaderEnd(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0;
  let at = MEMBER_HEADER_BYTES;
  if ((flags & FLAG_EXTRA) !== 0) {
    const low = bytes[at];
    const high = bytes[at + 1];
    if (low === undefined || high === undefined) return -1;
    at += 2 + low + high * 256;
  }
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if ((flags & flag) === 0) continue;
    const zero = bytes.indexOf(0, at);
    if (zero < 0) return -1;
    at = zero + 1;
  }
  if ((flags & FLAG_CRC) !== 0) at += 2;
  return at <= bytes.length ? at : -1;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
