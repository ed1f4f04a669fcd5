// Opens a trace argument (a path, or "-" for standard input) and hands its decompressed bytes on, chunk by
// chunk, to recording-input.ts; knows compression, no trace format.
import { createReadStream, type Stats, statSync } from "node:fs";
import { InputError, quote } from "../base/errors.ts";
import type { Decoder, Defect } from "./decoder.ts";
import { describeSystemError, UsageError } from "./exit.ts";
import { GzipDecoder, isGzip } from "./gzip-decoder.ts";
import { isZstd, ZstdDecoder } from "./zstd-decoder.ts";

const CHUNK_BYTES = 1 << 20;
const HEAD_BYTES = 6;

/** The argument that means standard input. */
export const STDIN = "-";

export interface ReadOptions {
  /** Decompressed bytes; a chunk is only valid during the call. */
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Bytes as they are stored, before any decompression: what a checksum of the file is made of. */
  readonly onStored?: (bytes: Uint8Array) => void;
  /** Bytes of the file read so far, and its size (0 when unknown). */
  readonly onProgress?: (read: number, size: number) => void;
}

/**
 * Reads a whole trace. Returns what was wrong with its compression, if anything. Throws InputError when the
 * file cannot be opened or read, or is compressed in a way forkcast does not decode.
 */
export async function readTrace(path: string, options: ReadOptions): Promise<Defect | undefined> {
  const size = path === STDIN ? 0 : sizeOf(path);
  const chunks = path === STDIN ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  let decoder: Decoder | undefined;
  let head: Uint8Array | undefined = new Uint8Array(0);
  let read = 0;
  try {
    for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
      read += chunk.length;
      options.onStored?.(chunk);
      options.onProgress?.(read, size);
      if (head !== undefined) {
        head = Buffer.concat([head, chunk]);
        if (head.length < HEAD_BYTES) continue;
        decoder = decoderOf(path, head, options.onBytes);
        await decoder.push(head);
        head = undefined;
      } else {
        await decoder?.push(chunk);
      }
    }
  } catch (error) {
    if (!isReadError(error)) throw error;
    throw new InputError("input/unreadable", `${quotePath(path)}: ${describeSystemError(error)}`);
  }
  if (head !== undefined) {
    decoder = decoderOf(path, head, options.onBytes);
    await decoder.push(head);
  }
  await decoder?.end();
  return decoder?.defect;
}

/** A path as messages show it: bare when harmless, else quoted with control characters escaped. */
export function quotePath(path: string): string {
  if (path === STDIN) return "standard input";
  const quoted = quote(path);
  return quoted === `"${path}"` ? path : quoted;
}

/** Throws unless every argument can be read and standard input is named at most once. Called before any work is done. */
export function checkTraces(paths: readonly string[]): void {
  if (paths.filter((path) => path === STDIN).length > 1) throw new UsageError("standard input given twice");
  for (const path of paths) if (path !== STDIN) statOf(path);
}

/** Throws InputError unless `path` can be read as a stream of bytes. Returns its size, 0 for pipes. */
export function sizeOf(path: string): number {
  const stat = statOf(path);
  if (stat.isDirectory()) {
    throw new InputError("input/unreadable", `${quotePath(path)}: is a directory; expected a trace file`);
  }
  return stat.isFile() ? stat.size : 0;
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new InputError("input/unreadable", `${quotePath(path)}: ${describeSystemError(error)}`);
  }
}

function isReadError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function decoderOf(path: string, head: Uint8Array, onBytes: (bytes: Uint8Array) => void): Decoder {
  if (isGzip(head)) return new GzipDecoder(onBytes);
  if (isZstd(head)) return new ZstdDecoder(onBytes);
  const other = foreignCompression(head);
  if (other !== undefined) {
    throw new InputError(
      "input/unknown-compression",
      `${quotePath(path)}: ${other}-compressed; expected plain text, gzip or zstd; decompress it into "-"`,
    );
  }
  return {
    defect: undefined,
    push: async (chunk) => onBytes(chunk),
    end: async () => {},
  };
}

/** Whether a file that begins so is compressed, in a way that is decoded here or another. */
export function isCompressed(head: Uint8Array): boolean {
  return isGzip(head) || isZstd(head) || foreignCompression(head) !== undefined;
}

function foreignCompression(head: Uint8Array): string | undefined {
  const hex = Buffer.from(head).toString("hex");
  if (hex.startsWith("fd377a585a00")) return "xz";
  if (hex.startsWith("425a68")) return "bzip2";
  if (hex.startsWith("04224d18")) return "lz4";
  if (hex.startsWith("504b0304")) return "zip";
  return undefined;
}
