// Which files of a directory make a CTF trace: a metadata file and the streams beside it. A session's directory may hold a
// kernel trace next to others. Used by index.ts and by the detection of recordings.
import { InputError } from "../../base/errors.ts";
import type { NamedSource } from "../source.ts";
import { metadataText } from "./metadata.ts";
import type { StreamFile } from "./stream.ts";

/** One trace: its metadata and its stream files, sorted by name. */
export interface TraceFiles {
  readonly metadata: NamedSource;
  readonly streams: readonly StreamFile[];
}

const METADATA = "metadata";

/** Whether these files are a CTF trace or hold one. */
export function holdsCtf(files: readonly NamedSource[]): boolean {
  return files.some((file) => isMetadata(file.name) && file.size > 0);
}

/** The trace among `files`: the only one, or the only one of the kernel. Throws InputError when there is none or several. */
export function findTrace(files: readonly NamedSource[], path: string): TraceFiles {
  const all = files.filter((file) => isMetadata(file.name) && file.size > 0);
  const kernel =
    all.length > 1
      ? all.filter((file) => /domain = "?kernel"?;/.test(metadataText(file, `${path}/${file.name}`)))
      : all;
  const [metadata] = kernel;
  if (metadata === undefined) {
    throw new InputError(
      "ctf/no-metadata",
      `${path}: no metadata file of a kernel trace among ${files.length} files; expected the directory LTTng wrote`,
    );
  }
  if (kernel.length > 1) {
    const names = kernel.slice(0, 3).map((file) => file.name.slice(0, -METADATA.length) || ".");
    throw new InputError(
      "ctf/several-traces",
      `${path}: holds ${kernel.length} kernel traces (${names.join(", ")}${kernel.length > 3 ? ", …" : ""}); pass one`,
    );
  }
  const folder = metadata.name.slice(0, -METADATA.length);
  const streams = files
    .filter((file) => file.size > 0 && isStream(file.name, folder))
    .map((file) => ({ name: file.name, source: file }));
  if (streams.length === 0) {
    throw new InputError("ctf/no-streams", `${path}: metadata, but no stream file with data beside it`);
  }
  return { metadata, streams };
}

function isMetadata(name: string): boolean {
  return name === METADATA || name.endsWith(`/${METADATA}`);
}

/** Directly in the trace's folder, not hidden; LTTng's indexes lie in a folder of their own. */
function isStream(name: string, folder: string): boolean {
  if (!name.startsWith(folder)) return false;
  const rest = name.slice(folder.length);
  return !rest.includes("/") && !rest.startsWith(".") && rest !== METADATA;
}
