// CTF 1.8 types as metadata declares them, before a trace's byte order is applied. Made by tsdl.ts, compiled by layout.ts.

export type ByteOrder = "native" | "le" | "be";

export interface IntType {
  readonly kind: "int";
  /** Bits, 1 to 64. */
  readonly size: number;
  /** Bits. */
  readonly align: number;
  readonly signed: boolean;
  readonly order: ByteOrder;
  /** Clock the integer is a reading of, "" for none. */
  readonly clock: string;
  /** encoding = UTF8 or ASCII: an array of these is a text. */
  readonly isText: boolean;
}

export interface FloatType {
  readonly kind: "float";
  readonly size: number;
  readonly align: number;
}

export interface StringType {
  readonly kind: "string";
}

export interface EnumRange {
  readonly label: string;
  readonly low: bigint;
  readonly high: bigint;
}

export interface EnumType {
  readonly kind: "enum";
  readonly base: IntType;
  readonly ranges: readonly EnumRange[];
}

export interface Field {
  readonly name: string;
  readonly type: CtfType;
}

export interface StructType {
  readonly kind: "struct";
  readonly fields: readonly Field[];
  /** Least alignment in bits; its fields may ask for more. */
  readonly align: number;
}

export interface VariantType {
  readonly kind: "variant";
  /** Path of the enumeration that selects; "" where only declared. */
  readonly tag: string;
  readonly options: readonly Field[];
}

export interface ArrayType {
  readonly kind: "array";
  readonly element: CtfType;
  /** A count, or the path of the integer that holds it. */
  readonly length: number | string;
}

export type CtfType = IntType | FloatType | StringType | EnumType | StructType | VariantType | ArrayType;

export interface CtfClock {
  readonly name: string;
  /** Hz. */
  readonly freq: bigint;
  readonly offsetSeconds: bigint;
  /** Cycles. */
  readonly offset: bigint;
}

export interface CtfEvent {
  readonly id: number;
  readonly stream: number;
  readonly name: string;
  readonly context: CtfType | null;
  readonly fields: CtfType | null;
}

export interface CtfStream {
  readonly id: number;
  readonly packetContext: CtfType | null;
  readonly eventHeader: CtfType | null;
  readonly eventContext: CtfType | null;
}

/** What a metadata file says. */
export interface CtfMetadata {
  readonly isLittle: boolean;
  readonly major: number;
  readonly minor: number;
  readonly packetHeader: CtfType | null;
  readonly env: ReadonlyMap<string, string>;
  readonly clocks: ReadonlyMap<string, CtfClock>;
  readonly streams: ReadonlyMap<number, CtfStream>;
  readonly events: readonly CtfEvent[];
}
