// Finds the frames of a zstd stream (RFC 8878 §3.1) without decoding them: where each ends and which checksum it
// claims. Lets zstd-decoder.ts give every frame to a decoder of its own and verify it.

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a5;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** A piece of the input. */
export interface Segment {
  /** End of the piece (exclusive) in the bytes given to `next`. */
  readonly end: number;
  /** data: belongs to the current frame; skip: not frame content; bad: no frame begins here, or a broken header. */
  readonly kind: "data" | "skip" | "bad";
  /** The frame is complete with this piece. */
  readonly isLast: boolean;
  /** With isLast: the content checksum, if the frame has one. */
  readonly checksum: number | undefined;
}

type State = "magic" | "descriptor" | "header" | "block" | "content" | "checksum" | "skip-size" | "skip";

/** Walks over frames. Small fields are collected in `#field`, so that pieces may be cut anywhere. */
export class ZstdFrames {
  #state: State = "magic";
  #field: number[] = [];
  #wanted = 4;
  #hasChecksum = false;
  #isLastBlock = false;
  #checksum: number | undefined;

  /** True between frames: the input may end here. */
  get isBetweenFrames(): boolean {
    return this.#state === "magic" && this.#field.length === 0;
  }

  /** The piece of `bytes` from `start`; it reaches to the end of the frame at most. */
  next(bytes: Uint8Array, start: number): Segment {
    for (let at = start; at < bytes.length; ) {
      at = this.#take(bytes, at);
      if (this.#wanted > 0) continue;
      const kind = this.#kind();
      if (!this.#advance()) return { end: at, kind: "bad", isLast: false, checksum: undefined };
      if (this.isBetweenFrames) return { end: at, kind, isLast: kind === "data", checksum: this.#checksum };
    }
    return { end: bytes.length, kind: this.#kind(), isLast: false, checksum: undefined };
  }

  #kind(): "data" | "skip" {
    return this.#state === "skip" || this.#state === "skip-size" ? "skip" : "data";
  }

  /** Takes what the current field still wants: one byte of a small field, or as much content as there is. */
  #take(bytes: Uint8Array, at: number): number {
    if (this.#state === "content" || this.#state === "skip") {
      const length = Math.min(this.#wanted, bytes.length - at);
      this.#wanted -= length;
      return at + length;
    }
    this.#field.push(bytes[at] ?? 0);
    this.#wanted--;
    return at + 1;
  }

  #enter(state: State, wanted: number): true {
    this.#state = state;
    this.#wanted = wanted;
    this.#field = [];
    return true;
  }

  /** The current field is complete: goes to the next one. False when it cannot be what it should be. */
  #advance(): boolean {
    const value = littleEndian(this.#field);
    switch (this.#state) {
      case "magic":
        if (value === FRAME_MAGIC) return this.#enter("descriptor", 1);
        return value >>> 4 === SKIPPABLE_MAGIC && this.#enter("skip-size", 4);
      case "descriptor":
        return this.#readDescriptor(value);
      case "header":
        return this.#enter("block", 3);
      case "block":
        return this.#readBlock(value);
      case "content":
        return this.#endBlock();
      case "checksum":
        this.#checksum = value;
        return this.#enter("magic", 4);
      case "skip-size":
        return value === 0 ? this.#enter("magic", 4) : this.#enter("skip", value);
      case "skip":
        return this.#enter("magic", 4);
    }
  }

  #readDescriptor(descriptor: number): true {
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
    this.#hasChecksum = (descriptor & 4) !== 0;
    this.#checksum = undefined;
    const rest = (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
    return this.#enter("header", rest);
  }

  #readBlock(header: number): boolean {
    const type = (header >> 1) & 3;
    if (type === RESERVED_BLOCK) return false;
    this.#isLastBlock = (header & 1) !== 0;
    const size = type === RLE_BLOCK ? 1 : header >> 3;
    return size === 0 ? this.#endBlock() : this.#enter("content", size);
  }

  #endBlock(): true {
    if (!this.#isLastBlock) return this.#enter("block", 3);
    return this.#hasChecksum ? this.#enter("checksum", 4) : this.#enter("magic", 4);
  }
}

function littleEndian(field: readonly number[]): number {
  let value = 0;
  for (let i = Math.min(field.length, 4) - 1; i >= 0; i--) value = value * 256 + (field[i] ?? 0);
  return value;
}
