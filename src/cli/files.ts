// Small file plumbing: whole writes to a descriptor, positional reads, atomic single-file output.
// System errors become UsageErrors that name the file, so that a full disk is not taken for our bug.
import {
  closeSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
  writevSync,
} from "node:fs";
import { InputError } from "../base/errors.ts";
import { describeSystemError, UsageError } from "./exit.ts";
import { readAt, roomFor } from "./read-at.ts";
import { quotePath, sizeOf } from "./trace-input.ts";

/** A file being written from its start. */
export interface FileSink {
  write(bytes: Uint8Array): void;
  writePieces(pieces: readonly Uint8Array[]): void;
  /** Makes `bytes` the end of the file, from offset `at` on. */
  endWith(bytes: Uint8Array, at: number): void;
  close(): void;
}

/** Creates (or empties) `path`. Throws UsageError when it cannot be written. */
export function openSink(path: string): FileSink {
  const fd = attempt(path, () => openSync(path, "w"));
  const writeAll = (bytes: Uint8Array, position: number | null): void => {
    for (let done = 0; done < bytes.length; ) {
      const from = done;
      const to = position === null ? null : position + from;
      done += attempt(path, () => writeSync(fd, bytes, from, bytes.length - from, to));
    }
  };
  return {
    write: (bytes) => writeAll(bytes, null),
    writePieces: (pieces) => {
      for (let rest = pieces; rest.length > 0; ) {
        const left = rest;
        rest = behind(
          left,
          attempt(path, () => writevSync(fd, left)),
        );
      }
    },
    endWith: (bytes, at) => {
      attempt(path, () => ftruncateSync(fd, at));
      writeAll(bytes, at);
    },
    close: () => attempt(path, () => closeSync(fd)),
  };
}

/** What is left of `pieces` when `done` bytes of them are written: a disk that fills up takes a part of it. */
export function behind(pieces: readonly Uint8Array[], done: number): readonly Uint8Array[] {
  let rest = done;
  return pieces.flatMap((piece) => {
    const taken = Math.min(rest, piece.length);
    rest -= taken;
    return taken === piece.length ? [] : [piece.subarray(taken)];
  });
}

/** Positional reads of a file; what readEventFile of src/table asks for. */
export interface FileReader {
  readonly fd: number;
  readonly size: number;
  /** `into` is used where it has room. */
  readAt(offset: number, length: number, into?: Uint8Array): Uint8Array;
  close(): void;
}

/** Opens `path` for positional reads. Throws InputError when it cannot be read. `readAt` returns fewer bytes at the end of the file. */
export function openReader(path: string): FileReader {
  const size = sizeOf(path);
  const fd = openForReading(path);
  return {
    fd,
    size,
    readAt: (offset, length, into) => readAt(fd, roomFor(length, into), offset),
    close: () => closeSync(fd),
  };
}

function openForReading(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw new InputError("input/unreadable", `${quotePath(path)}: ${describeSystemError(error)}`);
  }
}

/** Runs `call` on a file's content; an InputError that does not say which file gets its path in front. */
export function inFile<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const name = quotePath(path);
    if (!(error instanceof InputError) || error.message.startsWith(name)) throw error;
    throw new InputError(error.code, `${name}: ${error.message}`);
  }
}

/** Writes a whole new file. Throws UsageError naming it when that fails. */
export function writeWhole(path: string, data: string | Uint8Array): void {
  attempt(path, () => writeFileSync(path, data));
}

/** Runs `fill` with a temporary name beside `path`, then renames it to `path`: whole or not at all. */
export async function replaceFile(
  path: string,
  fill: (temporary: string) => Promise<void> | void,
): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  const remove = (): void => rmSync(temporary, { force: true });
  process.on("exit", remove);
  try {
    await fill(temporary);
    attempt(path, () => renameSync(temporary, path));
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/** Runs a system call on an output file; its errors become UsageErrors. */
export function attempt<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw new UsageError(`cannot write ${quotePath(path)}: ${describeSystemError(error)}`);
  }
}
