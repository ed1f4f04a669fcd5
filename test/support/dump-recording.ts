// A recording of several files as text, in the form dump-rows.ts gives text inputs. Files are held in memory.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type NamedSource, openRecording, type RecordingFormat } from "../../src/ingest/index.ts";
import type { Codecs } from "../../src/ingest/source.ts";
import { collectRows, type Dump } from "./dump-rows.ts";

/** Decompressors for formats that need none. */
export const NO_CODECS: Codecs = {
  zlib: () => {
    throw new Error("no codec");
  },
  zstd: () => {
    throw new Error("no codec");
  },
  zstdStream: () => {
    throw new Error("no codec");
  },
};

/** A file in memory. */
export function memoryFile(name: string, bytes: Uint8Array): NamedSource {
  return { name, size: bytes.length, readAt: (at, length) => bytes.slice(at, at + length) };
}

/** The files below a folder, named as the CLI names them. */
export function folderFiles(folder: string): NamedSource[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
    .map((name) => memoryFile(name, readFileSync(join(folder, name))));
}

/** Everything a recording became. */
export function dumpRecording(files: readonly NamedSource[], format?: RecordingFormat): Dump {
  const rows = collectRows();
  const recording = openRecording(
    { path: "recording", files, codecs: NO_CODECS, ...(format === undefined ? {} : { format }) },
    rows.onBatch,
  );
  const meta = recording.read();
  return rows.dump(meta, recording.problems);
}
