// A metadata file: plain TSDL text, or packets of it (CTF 1.8.3, section 7.1). Read by index.ts.
import { InputError } from "../../base/errors.ts";
import type { ByteSource } from "../source.ts";
import { MAX_METADATA } from "./tokens.ts";

/** Of a metadata packet, in the byte order of the machine that wrote it. */
const PACKET_MAGIC = 0x75d11d57;
/** magic 4, uuid 16, checksum 4, content_size 4, packet_size 4, compression 1, encryption 1, checksum 1, major 1, minor 1. */
const HEADER_BYTES = 37;

/** The text of a metadata file. Throws InputError when it is none, or one of CTF 2. */
export function metadataText(source: ByteSource, path: string): string {
  if (source.size > MAX_METADATA) {
    throw new InputError(
      "ctf/bad-metadata",
      `${path}: its metadata has ${source.size} bytes; expected at most 64 MiB`,
    );
  }
  const bytes = source.readAt(0, source.size);
  const decoder = new TextDecoder();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // CTF 2: a sequence of JSON texts, each after a record separator (RFC 7464).
  if (bytes[0] === 0x1e) {
    throw new InputError(
      "ctf/version",
      `${path} is a CTF 2 trace; forkcast reads CTF 1.8 (lttng create --trace-format=ctf-1.8)`,
    );
  }
  const isLittle = bytes.length >= 4 && view.getUint32(0, true) === PACKET_MAGIC;
  if (!isLittle && !(bytes.length >= 4 && view.getUint32(0, false) === PACKET_MAGIC))
    return decoder.decode(bytes);
  let text = "";
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length && view.getUint32(at, isLittle) === PACKET_MAGIC) {
    const content = view.getUint32(at + 24, isLittle) / 8;
    const packet = view.getUint32(at + 28, isLittle) / 8;
    if (bytes[at + 32] !== 0 || bytes[at + 33] !== 0) {
      throw new InputError(
        "ctf/bad-metadata",
        `${path}: its metadata is compressed or encrypted, which LTTng never does`,
      );
    }
    if (content < HEADER_BYTES || packet < content || at + content > bytes.length) break;
    text += decoder.decode(bytes.subarray(at + HEADER_BYTES, at + content), { stream: true });
    at += packet;
  }
  return text + decoder.decode();
}
