// The files inside a tar archive, as windows of the archive: nothing is unpacked. Called by recording-input.ts for an
// archive that holds a recording of several files (a CTF directory, raw pages with their format files).
import type { ReadEntry } from "tar";
import { InputError } from "../base/errors.ts";
import type { ByteSource, NamedSource } from "../ingest/index.ts";

/** Bytes of a header, and what everything in an archive is padded to (POSIX.1-2017 pax, "ustar Interchange Format"). */
const BLOCK = 512;
const BLOCKS_A_READ = 2048;
const MAGIC_AT = 257;
const FILE_TYPES: ReadonlySet<string> = new Set(["File", "OldFile", "ContiguousFile"]);

/** Does `head`, the first 512 bytes, begin an archive: "ustar" at byte 257, as POSIX and GNU tar write it. */
export function isTar(head: Uint8Array): boolean {
  return [0x75, 0x73, 0x74, 0x61, 0x72].every((byte, i) => head[MAGIC_AT + i] === byte);
}

/** Bytes of an input that isTar looks at. */
export const TAR_HEAD: number = BLOCK;

/**
 * The regular files of the archive, sorted by name. One whose data is cut short gives the bytes there are. Throws InputError
 * for an archive with more than `most` files.
 */
export async function tarFiles(
  archive: ByteSource,
  path: string,
  most: number,
): Promise<readonly NamedSource[]> {
  const { Parser } = await import("tar");
  const files: NamedSource[] = [];
  let fed = 0;
  const parser = new Parser({
    onReadEntry: (entry: ReadEntry) => {
      // An entry is told of when its header has been fed, one block at a time: its data begin there.
      if (FILE_TYPES.has(entry.type)) files.push(windowOf(archive, entry.path, fed, entry.size));
      entry.resume();
    },
  });
  for (let at = 0; at < archive.size; at += BLOCK * BLOCKS_A_READ) {
    const bytes = archive.readAt(at, BLOCK * BLOCKS_A_READ).slice();
    for (let block = 0; block < bytes.length; block += BLOCK) {
      fed = at + block + BLOCK;
      parser.write(Buffer.from(bytes.buffer, block, Math.min(BLOCK, bytes.length - block)));
    }
    if (files.length > most)
      throw new InputError(
        "input/unreadable",
        `${path}: an archive of more than ${most} files; expected one recording`,
      );
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function windowOf(archive: ByteSource, name: string, from: number, size: number): NamedSource {
  return {
    name,
    size,
    readAt: (at, length, into) => archive.readAt(from + at, Math.max(0, Math.min(length, size - at)), into),
  };
}
