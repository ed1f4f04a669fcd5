// The part of TSDL that LTTng writes (CTF 1.8.3, section 7): typealias and named structures, integer, floating_point,
// string, enum, struct, variant, arrays and sequences, and the blocks trace, env, clock, stream, event. What goes beyond it
// (typedef, types declared inside blocks, expressions) is refused by name.
import { InputError, quote } from "../../base/errors.ts";
import { Lexer, lineAt } from "./tokens.ts";
import type {
  ByteOrder,
  CtfClock,
  CtfEvent,
  CtfMetadata,
  CtfStream,
  CtfType,
  EnumRange,
  Field,
  IntType,
  StructType,
  VariantType,
} from "./types.ts";

/** What stands right of "=" or ":=" in a block. */
type Value = string | bigint | CtfType;

/** Structures inside structures; LTTng needs four levels. */
const MAX_DEPTH = 32;
const MAX_ALIGN = 4096;

/** Reads metadata text. Throws InputError, naming the line, where it is not understood. */
export function parseTsdl(text: string, path: string): CtfMetadata {
  return new TsdlParser(text, path).metadata();
}

class TsdlParser {
  readonly #lexer: Lexer;
  readonly #path: string;
  #depth = 0;
  /** Integer types by their text: LTTng declares one a field, in a dozen ways. */
  readonly #integers = new Map<string, IntType>();
  readonly #types = new Map<string, CtfType>();
  /** First words of the names that typealias gave: "unsigned", "unsigned long". */
  readonly #beginnings = new Set<string>();
  readonly #env = new Map<string, string>();
  readonly #clocks = new Map<string, CtfClock>();
  readonly #streams = new Map<number, CtfStream>();
  readonly #events: CtfEvent[] = [];
  #trace: ReadonlyMap<string, Value> = new Map();

  constructor(text: string, path: string) {
    this.#lexer = new Lexer(text, path);
    this.#path = path;
  }

  metadata(): CtfMetadata {
    while (this.#lexer.is !== "end") this.#declaration();
    const order = this.#trace.get("byte_order");
    if (order !== "le" && order !== "be") this.#fail("a trace block with byte_order = le or be");
    return {
      isLittle: order === "le",
      major: numberOf(this.#trace.get("major")),
      minor: numberOf(this.#trace.get("minor")),
      packetHeader: typeOf(this.#trace.get("packet.header")),
      env: this.#env,
      clocks: this.#clocks,
      streams: this.#streams,
      events: this.#events,
    };
  }

  #declaration(): void {
    switch (this.#lexer.text) {
      case ";":
        this.#take();
        return;
      case "typealias":
        this.#typealias();
        return;
      case "trace":
        this.#trace = this.#block();
        return;
      case "env":
        for (const [key, value] of this.#block()) this.#env.set(key, String(value));
        return;
      case "clock":
        this.#clock(this.#block());
        return;
      case "stream":
        this.#stream(this.#block());
        return;
      case "event":
        this.#event(this.#block());
        return;
      case "callsite":
        this.#block();
        return;
      case "struct":
      case "variant":
      case "enum":
        this.#type();
        this.#expect(";");
        return;
      default:
        this.#fail("typealias, struct, variant, enum, trace, env, clock, stream or event");
    }
  }

  /** "typealias integer { … } := unsigned long;" */
  #typealias(): void {
    this.#take();
    const type = this.#type();
    this.#expect(":=");
    const names = [this.#name()];
    while (this.#lexer.is === "name") names.push(this.#name());
    this.#expect(";");
    this.#types.set(names.join(" "), type);
    for (let words = 1; words <= names.length; words++) this.#beginnings.add(names.slice(0, words).join(" "));
  }

  /** "trace { major = 1; packet.header := struct { … }; }" */
  #block(): Map<string, Value> {
    this.#take();
    return this.#braces();
  }

  #braces(): Map<string, Value> {
    this.#expect("{");
    const values = new Map<string, Value>();
    while (!this.#accept("}")) {
      if (this.#accept(";")) continue;
      const path = this.#dotted();
      if (this.#accept(":=")) values.set(path, this.#type());
      else {
        this.#expect("=");
        values.set(path, this.#value());
      }
      this.#expect(";");
    }
    return values;
  }

  #value(): string | bigint {
    const { is } = this.#lexer;
    if (is === "number") return BigInt(this.#number());
    if (is === "text") return this.#take();
    if (is === "name") return this.#dotted();
    return this.#fail("a value");
  }

  #clock(values: ReadonlyMap<string, Value>): void {
    const name = String(values.get("name") ?? "");
    this.#clocks.set(name, {
      name,
      freq: bigOf(values.get("freq"), 1_000_000_000n),
      offsetSeconds: bigOf(values.get("offset_s"), 0n),
      offset: bigOf(values.get("offset"), 0n),
    });
  }

  #stream(values: ReadonlyMap<string, Value>): void {
    const id = numberOf(values.get("id"));
    this.#streams.set(id, {
      id,
      packetContext: typeOf(values.get("packet.context")),
      eventHeader: typeOf(values.get("event.header")),
      eventContext: typeOf(values.get("event.context")),
    });
  }

  #event(values: ReadonlyMap<string, Value>): void {
    this.#events.push({
      id: numberOf(values.get("id")),
      stream: numberOf(values.get("stream_id")),
      name: String(values.get("name") ?? ""),
      context: typeOf(values.get("context")),
      fields: typeOf(values.get("fields")),
    });
  }

  #type(): CtfType {
    if (++this.#depth > MAX_DEPTH) this.#fail(`at most ${MAX_DEPTH} types inside one another`);
    const type = this.#typeSpecifier();
    this.#depth--;
    return type;
  }

  #typeSpecifier(): CtfType {
    switch (this.#lexer.text) {
      case "integer":
        return this.#integerHere();
      case "floating_point":
        return this.#floating(this.#block());
      case "string":
        this.#take();
        if (this.#isAt("{")) this.#braces();
        return { kind: "string" };
      case "enum":
        return this.#enum();
      case "struct":
        return this.#struct();
      case "variant":
        return this.#variant();
      default:
        return this.#named();
    }
  }

  /** A name given by typealias, of one word or more: the longest that is known. */
  #named(): CtfType {
    let name = this.#name();
    let known = this.#types.get(name);
    for (;;) {
      if (this.#lexer.is !== "name") break;
      const longer = `${name} ${this.#lexer.text}`;
      if (!this.#beginnings.has(longer)) break;
      this.#take();
      name = longer;
      known = this.#types.get(name);
    }
    if (known === undefined) this.#failAt(`${quote(name)} is no type that was declared`);
    return known;
  }

  /** "integer { … }"; one with the same text was the same. */
  #integerHere(): IntType {
    const lexer = this.#lexer;
    const end = lexer.source.indexOf("}", lexer.at) + 1;
    const text = lexer.source.slice(lexer.from, end);
    const known = this.#integers.get(text);
    if (known !== undefined) {
      lexer.jump(end);
      return known;
    }
    const type = this.#integer(this.#block());
    // Unless a text or a comment has the brace.
    if (lexer.before === end) this.#integers.set(text, type);
    return type;
  }

  #integer(values: ReadonlyMap<string, Value>): IntType {
    const size = numberOf(values.get("size"));
    const align = values.has("align") ? numberOf(values.get("align")) : size % 8 === 0 ? 8 : 1;
    if (!(size >= 1 && size <= 64)) this.#fail("an integer of 1 to 64 bits");
    this.#checkAlign(align);
    const map = String(values.get("map") ?? "");
    const encoding = String(values.get("encoding") ?? "none").toLowerCase();
    return {
      kind: "int",
      size,
      align,
      signed: isTrue(values.get("signed")),
      order: orderOf(values.get("byte_order")),
      clock: /^clock\.(\w+)\.value$/.exec(map)?.[1] ?? "",
      isText: encoding === "utf8" || encoding === "ascii",
    };
  }

  #floating(values: ReadonlyMap<string, Value>): CtfType {
    const size = numberOf(values.get("exp_dig")) + numberOf(values.get("mant_dig"));
    const align = values.has("align") ? numberOf(values.get("align")) : 8;
    if (!(size >= 1 && size <= 128)) this.#fail("a floating_point of at most 128 bits");
    this.#checkAlign(align);
    return { kind: "float", size, align };
  }

  #checkAlign(align: number): void {
    if (!(align >= 1 && align <= MAX_ALIGN && Number.isInteger(Math.log2(align)))) {
      this.#fail("an alignment that is a power of two");
    }
  }

  /** "enum NAME : TYPE { compact = 0 ... 30, extended = 31 }" */
  #enum(): CtfType {
    this.#take();
    const name = this.#lexer.is === "name" ? this.#name() : "";
    let base: CtfType | undefined;
    if (this.#accept(":")) base = this.#type();
    else if (!this.#isAt("{")) return this.#known(`enum ${name}`);
    base ??= this.#types.get("int");
    if (base === undefined || base.kind !== "int") this.#fail("an enum on an integer type");
    const type: CtfType = { kind: "enum", base, ranges: this.#ranges() };
    if (name !== "") this.#types.set(`enum ${name}`, type);
    return type;
  }

  #ranges(): EnumRange[] {
    this.#expect("{");
    const ranges: EnumRange[] = [];
    let next = 0n;
    while (!this.#accept("}")) {
      const { is } = this.#lexer;
      const label = this.#take();
      if (is !== "name" && is !== "text") this.#failAt("expected a label");
      let low = next;
      let high = next;
      if (this.#accept("=")) {
        low = BigInt(this.#number());
        high = this.#accept("...") ? BigInt(this.#number()) : low;
      }
      ranges.push({ label, low, high });
      next = high + 1n;
      this.#accept(",");
    }
    return ranges;
  }

  /** "struct NAME { … } align(8)", "struct NAME" */
  #struct(): CtfType {
    this.#take();
    const name = this.#lexer.is === "name" ? this.#name() : "";
    if (!this.#isAt("{")) return this.#known(`struct ${name}`);
    const fields = this.#fields();
    let align = 1;
    if (this.#isAt("align")) {
      this.#take();
      this.#expect("(");
      align = Number(this.#number());
      this.#checkAlign(align);
      this.#expect(")");
    }
    const type: StructType = { kind: "struct", fields, align };
    if (name !== "") this.#types.set(`struct ${name}`, type);
    return type;
  }

  /** "variant NAME <tag> { … }", "variant NAME <tag>" */
  #variant(): CtfType {
    this.#take();
    const name = this.#lexer.is === "name" ? this.#name() : "";
    let tag = "";
    if (this.#accept("<")) {
      tag = this.#dotted();
      this.#expect(">");
    }
    if (!this.#isAt("{")) {
      const known = this.#known(`variant ${name}`);
      return known.kind === "variant" ? { ...known, tag } : known;
    }
    const type: VariantType = { kind: "variant", tag, options: this.#fields() };
    if (name !== "") this.#types.set(`variant ${name}`, type);
    return type;
  }

  #fields(): Field[] {
    this.#expect("{");
    const fields: Field[] = [];
    while (!this.#accept("}")) {
      if (this.#accept(";")) continue;
      if (this.#isAt("typealias")) {
        this.#typealias();
        continue;
      }
      const type = this.#type();
      do fields.push(this.#declarator(type));
      while (this.#accept(","));
      this.#expect(";");
    }
    return fields;
  }

  /** "name", "name[16]", "name[ length ]", "name[2][3]" */
  #declarator(type: CtfType): Field {
    const name = this.#name();
    const lengths: (number | string)[] = [];
    while (this.#accept("[")) {
      lengths.push(this.#lexer.is === "number" ? Number(this.#number()) : this.#dotted());
      this.#expect("]");
    }
    let full = type;
    for (const length of lengths.reverse()) full = { kind: "array", element: full, length };
    return { name: name.replace(/^_/, ""), type: full };
  }

  #known(name: string): CtfType {
    const known = this.#types.get(name);
    return known ?? this.#failAt(`${quote(name)} was not declared`);
  }

  #dotted(): string {
    let path = this.#name();
    while (this.#accept(".")) path += `.${this.#name()}`;
    return path;
  }

  #name(): string {
    return this.#lexer.is === "name" ? this.#take() : this.#fail("a name");
  }

  #number(): string {
    return this.#lexer.is === "number" ? this.#take() : this.#fail("a number");
  }

  #isAt(text: string): boolean {
    return this.#lexer.text === text;
  }

  /** Goes to the next token; the text of the one before. */
  #take(): string {
    const { text } = this.#lexer;
    this.#lexer.next();
    return text;
  }

  #accept(sign: string): boolean {
    const { is, text } = this.#lexer;
    if (is !== "sign" || text !== sign) return false;
    this.#lexer.next();
    return true;
  }

  #expect(sign: string): void {
    if (!this.#accept(sign)) this.#fail(quote(sign));
  }

  #fail(expected: string): never {
    return this.#failAt(`found ${quote(this.#lexer.text)}, expected ${expected}`);
  }

  #failAt(what: string): never {
    throw new InputError(
      "ctf/bad-metadata",
      `${this.#path}: line ${lineAt(this.#lexer.source, this.#lexer.at)} of its metadata: ${what}; forkcast reads the part of TSDL (CTF 1.8) ` +
        "that LTTng writes",
    );
  }
}

function typeOf(value: Value | undefined): CtfType | null {
  return typeof value === "object" ? value : null;
}

function numberOf(value: Value | undefined): number {
  return typeof value === "bigint" ? Number(value) : 0;
}

function bigOf(value: Value | undefined, fallback: bigint): bigint {
  return typeof value === "bigint" ? value : fallback;
}

function isTrue(value: Value | undefined): boolean {
  return value === "true" || value === "TRUE" || (typeof value === "bigint" && value !== 0n);
}

function orderOf(value: Value | undefined): ByteOrder {
  if (value === "be" || value === "network") return "be";
  return value === "le" ? "le" : "native";
}
