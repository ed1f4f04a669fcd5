// Opens a trace argument that may be a binary recording: a file or a directory is read in place, compressed data, tar archives
// and standard input are spooled to a file beside the output first. Feeds src/ingest's recordings; text goes on as a stream.
import { closeSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { type Container, detectRecordingHead, type NamedSource } from "../ingest/index.ts";
import type { Defect } from "./decoder.ts";
import { describeSystemError } from "./exit.ts";
import { type FileSink, openReader, openSink } from "./files.ts";
import { readAt, roomFor } from "./read-at.ts";
import { isTar, TAR_HEAD, tarFiles } from "./tar-files.ts";
import { isCompressed, quotePath, readTrace, STDIN } from "./trace-input.ts";

/** Files a directory may hold: a recording has a stream a CPU and channel, and an index beside each. */
const MAX_FILES = 65536;
/** File descriptors held open at a time. */
const MAX_OPEN = 128;

/** An input whose files can be read at any place. */
export interface OpenedRecording {
  readonly files: readonly NamedSource[];
  /** What holds them; undefined for a file that is the whole recording. */
  readonly container: Container | undefined;
  /** What was wrong with the compression it came in. */
  readonly defect: Defect | undefined;
  /** Of a regular file that is the recording as it stands. */
  readonly fd: number | undefined;
  close(): void;
}

export interface InputOptions {
  /** Takes the input's decompressed bytes when it is no binary recording. */
  readonly onText: (bytes: Uint8Array) => void;
  /** Takes the bytes of a stream as they are stored; not those of what is read in place. */
  readonly onStored: (bytes: Uint8Array) => void;
  readonly onProgress: (read: number, size: number) => void;
  /** Where a spool file may be put: beside the output. */
  readonly spoolPath: string;
  /** --format named a binary format: nothing is handed on as text. */
  readonly isForced: boolean;
  /** --format named a text format: nothing is opened as a recording. */
  readonly isText: boolean;
}

/** What an input turned out to be. */
export type Input =
  | { readonly kind: "text"; readonly defect: Defect | undefined }
  /** `isInPlace`: its files are the input itself. */
  | { readonly kind: "recording"; readonly isInPlace: boolean; readonly opened: OpenedRecording };

/**
 * Reads a text input to its end, or opens a recording. Throws InputError when the input cannot be read. The caller
 * closes what is opened; a spool file is removed with it, and at exit.
 */
export async function openInput(path: string, options: InputOptions): Promise<Input> {
  if (path !== STDIN && isDirectory(path)) return inPlace(openDirectory(path));
  if (path !== STDIN && isReadInPlace(path, options)) return inPlace(openFile(path));
  return readStream(path, options);
}

function inPlace(opened: OpenedRecording): Input {
  return { kind: "recording", isInPlace: true, opened };
}

async function readStream(path: string, options: InputOptions): Promise<Input> {
  const spool = new Spool(options.spoolPath);
  let head: Uint8Array | undefined = new Uint8Array(0);
  let isBinary = options.isForced;
  let isArchive = false;
  const decide = (bytes: Uint8Array): void => {
    isArchive = !options.isText && isTar(bytes);
    isBinary = !options.isText && (options.isForced || isArchive || detectRecordingHead(bytes) !== null);
    head = undefined;
    take(bytes);
  };
  const take = (bytes: Uint8Array): void => {
    if (isBinary) spool.write(bytes);
    else options.onText(bytes);
  };
  try {
    const defect = await readTrace(path, {
      onStored: options.onStored,
      onProgress: options.onProgress,
      onBytes: (bytes) => {
        if (head === undefined) return take(bytes);
        const joined: Uint8Array = head.length === 0 ? bytes : Buffer.concat([head, bytes]);
        if (joined.length >= TAR_HEAD) decide(joined);
        else head = joined.slice();
      },
    });
    if (head !== undefined) decide(head);
    if (!isBinary) return { kind: "text", defect };
    const opened = spool.open(path, defect);
    const [archive] = opened.files;
    if (!isArchive || archive === undefined) return { kind: "recording", isInPlace: false, opened };
    const files = await tarFiles(archive, quotePath(path), MAX_FILES);
    return { kind: "recording", isInPlace: false, opened: { ...opened, files, container: "archive" } };
  } catch (error) {
    spool.remove();
    throw error;
  }
}

/** A temporary file, made on the first write. */
class Spool {
  readonly #path: string;
  #sink: FileSink | undefined;
  readonly #remove = (): void => rmSync(this.#path, { force: true });

  constructor(path: string) {
    this.#path = path;
  }

  write(bytes: Uint8Array): void {
    if (this.#sink === undefined) {
      process.on("exit", this.#remove);
      this.#sink = openSink(this.#path);
    }
    this.#sink.write(bytes);
  }

  open(path: string, defect: Defect | undefined): OpenedRecording {
    this.write(new Uint8Array(0));
    this.#close();
    const opened = openFile(this.#path);
    const files = opened.files.map((file) => ({ ...file, name: path }));
    return {
      ...opened,
      files,
      defect,
      close: () => {
        opened.close();
        this.remove();
      },
    };
  }

  remove(): void {
    this.#close();
    process.off("exit", this.#remove);
    this.#remove();
  }

  #close(): void {
    this.#sink?.close();
    this.#sink = undefined;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Whether a regular file is a recording as it stands: neither text nor something that holds one. */
function isReadInPlace(path: string, { isText, isForced }: InputOptions): boolean {
  if (isText) return false;
  const head = headOf(path);
  if (!isForced) return detectRecordingHead(head) !== null;
  return head.length > 0 && !isCompressed(head) && !isTar(head);
}

/** The first bytes of a regular file, none of anything else (a pipe can be read once only). */
function headOf(path: string): Uint8Array {
  if (!(statSync(path, { throwIfNoEntry: false })?.isFile() ?? false)) return new Uint8Array(0);
  const reader = openReader(path);
  try {
    return reader.readAt(0, TAR_HEAD);
  } finally {
    reader.close();
  }
}

function openFile(path: string): OpenedRecording {
  const reader = openReader(path);
  return {
    files: [
      {
        name: path,
        size: reader.size,
        readAt: (at, length, into) =>
          reader.readAt(at, Math.min(length, Math.max(0, reader.size - at)), into),
      },
    ],
    container: undefined,
    defect: undefined,
    fd: reader.fd,
    close: () => reader.close(),
  };
}

/** The regular files below a directory; each is opened when it is first read. */
function openDirectory(path: string): OpenedRecording {
  const names = listFiles(path);
  if (names.length > MAX_FILES) {
    throw new InputError(
      "input/unreadable",
      `${quotePath(path)}: holds ${names.length} files; expected the directory of one recording`,
    );
  }
  const pool = new DescriptorPool();
  const files = names.map((name) => pool.source(join(path, name), name));
  return { files, container: "directory", defect: undefined, fd: undefined, close: () => pool.close() };
}

function listFiles(path: string): readonly string[] {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(join(path, "x").length - 1)
          .replaceAll("\\", "/"),
      )
      .sort();
  } catch (error) {
    throw new InputError("input/unreadable", `${quotePath(path)}: ${describeSystemError(error)}`);
  }
}

/** Keeps few descriptors open; the one used longest ago is closed first. */
class DescriptorPool {
  readonly #open = new Map<string, number>();

  source(path: string, name: string): NamedSource {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    return {
      name,
      size,
      readAt: (at, length, into) =>
        this.#read(path, at, roomFor(Math.min(length, Math.max(0, size - at)), into)),
    };
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #read(path: string, at: number, into: Uint8Array): Uint8Array {
    try {
      return readAt(this.#descriptor(path), into, at);
    } catch (error) {
      throw new InputError("input/unreadable", `${quotePath(path)}: ${describeSystemError(error)}`);
    }
  }

  #descriptor(path: string): number {
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    const [oldest] = this.#open;
    if (this.#open.size >= MAX_OPEN && oldest !== undefined) {
      closeSync(oldest[1]);
      this.#open.delete(oldest[0]);
    }
    const fd = openSync(path, "r");
    this.#open.set(path, fd);
    return fd;
  }
}
