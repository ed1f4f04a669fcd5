// Rows of a query as text: table, csv, json or markdown. Task names and paths in them are the input's: nothing here lets
// them drive a terminal, break a cell open, or be taken for a formula by a spreadsheet.
import { markdownText } from "../analyze/brief-markdown.ts";
import { csvQuoted, defused } from "../analyze/csv.ts";
import { printable, width } from "../analyze/plain-text.ts";

export const ROW_FORMATS = ["table", "csv", "json", "markdown"] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

/** A cell: null, a number (bigints are printed in full), text, or several texts. */
export type Cell = null | boolean | number | bigint | string | readonly Cell[];

/** Takes rows in chunks and gives text for standard output; `end` after the last chunk. */
export interface RowWriter {
  rows(rows: readonly (readonly Cell[])[]): string;
  end(): string;
  /** Text cells that csv changed: they began like a formula. */
  readonly defused: number;
}

/** A writer of the format. `raw`: csv cells exactly as they are. table and markdown hold all rows until the end. */
export function rowWriter(format: RowFormat, names: readonly string[], raw: boolean): RowWriter {
  switch (format) {
    case "table":
      return new AlignedWriter(names, (text) => text, "  ", "");
    case "markdown":
      return new AlignedWriter(names, markdownText, " | ", "|");
    case "csv":
      return new CsvWriter(names, raw);
    case "json":
      return new JsonWriter(names);
  }
}

/** A cell as one line of visible text; null is empty. */
function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (Array.isArray(cell)) return cell.map((item) => cellText(item as Cell)).join(", ");
  return typeof cell === "string" ? printable(cell) : String(cell);
}

const isNumber = (cell: Cell | undefined): boolean => typeof cell === "number" || typeof cell === "bigint";

class AlignedWriter implements RowWriter {
  readonly defused = 0;
  readonly #names: readonly string[];
  readonly #mark: (text: string) => string;
  readonly #between: string;
  readonly #edge: string;
  readonly #rows: string[][] = [];
  readonly #isRight: boolean[];

  constructor(names: readonly string[], mark: (text: string) => string, between: string, edge: string) {
    this.#names = names.map((name) => mark(printable(name)));
    this.#mark = mark;
    this.#between = between;
    this.#edge = edge;
    this.#isRight = names.map(() => true);
  }

  rows(rows: readonly (readonly Cell[])[]): string {
    for (const row of rows) {
      this.#rows.push(row.map((cell) => this.#mark(cellText(cell))));
      row.forEach((cell, i) => {
        if (cell !== null && !isNumber(cell)) this.#isRight[i] = false;
      });
    }
    return "";
  }

  end(): string {
    const widths = this.#names.map((name) => Math.max(3, width(name)));
    for (const row of this.#rows) {
      for (const [i, text] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(text));
    }
    const pad = (text: string, i: number): string => {
      const space = " ".repeat(Math.max(0, (widths[i] ?? 0) - width(text)));
      return this.#isRight[i] ? space + text : text + space;
    };
    const line = (cells: readonly string[]): string => {
      const joined = cells.join(this.#between);
      return this.#edge === "" ? joined.trimEnd() : `${this.#edge} ${joined} ${this.#edge}`;
    };
    const rule = widths.map((n, i) =>
      this.#edge !== "" && this.#isRight[i] ? `${"-".repeat(n - 1)}:` : "-".repeat(n),
    );
    const lines = [line(this.#names.map(pad)), line(rule), ...this.#rows.map((row) => line(row.map(pad)))];
    return `${lines.join("\n")}\n`;
  }
}

/** RFC 4180, lines ending in LF. */
class CsvWriter implements RowWriter {
  defused = 0;
  readonly #head: string;
  readonly #raw: boolean;
  #isFirst = true;

  constructor(names: readonly string[], raw: boolean) {
    this.#raw = raw;
    this.#head = `${names.map((name) => this.#field(name)).join(",")}\n`;
  }

  rows(rows: readonly (readonly Cell[])[]): string {
    const text = rows.map((row) => `${row.map((cell) => this.#cell(cell)).join(",")}\n`).join("");
    return this.#takeHead() + text;
  }

  end(): string {
    return this.#takeHead();
  }

  #takeHead(): string {
    const head = this.#isFirst ? this.#head : "";
    this.#isFirst = false;
    return head;
  }

  #cell(cell: Cell): string {
    if (cell === null) return "";
    if (Array.isArray(cell)) return this.#field(cell.map((item) => plainText(item as Cell)).join(","));
    return this.#field(plainText(cell), typeof cell === "string");
  }

  #field(text: string, isText = true): string {
    return csvQuoted(this.#raw || !isText ? text : this.#defuse(printable(text)));
  }

  #defuse(text: string): string {
    const safe = defused(text);
    if (safe !== text) this.defused++;
    return safe;
  }
}

function plainText(cell: Cell): string {
  return cell === null ? "" : String(cell);
}

/** An array of objects, one a line. Integers are printed in full, beyond 2^53 too. */
class JsonWriter implements RowWriter {
  readonly defused = 0;
  readonly #names: readonly string[];
  #count = 0;

  constructor(names: readonly string[]) {
    this.#names = names.map((name) => jsonString(name));
  }

  rows(rows: readonly (readonly Cell[])[]): string {
    return rows
      .map((row) => {
        const fields = row.map((cell, i) => `${this.#names[i]}: ${jsonValue(cell)}`);
        return `${this.#count++ === 0 ? "[\n" : ",\n"}  { ${fields.join(", ")} }`;
      })
      .join("");
  }

  end(): string {
    return this.#count === 0 ? "[]\n" : "\n]\n";
  }
}

function jsonValue(cell: Cell): string {
  if (cell === null) return "null";
  if (Array.isArray(cell)) return `[${cell.map((item) => jsonValue(item as Cell)).join(", ")}]`;
  if (typeof cell === "string") return jsonString(cell);
  // JSON has no NaN and no infinity.
  return typeof cell === "number" && !Number.isFinite(cell) ? "null" : String(cell);
}

/** JSON of a text with every control and format character as an escape. */
export function jsonString(text: string): string {
  return JSON.stringify(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) =>
    [...Array(char.length).keys()]
      .map((i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
