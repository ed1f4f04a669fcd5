// Text for terminals: input text made visible, lines kept below 80 columns. Used by text.ts; the report uses
// `printable` before it escapes HTML.

/** Columns a line may fill. */
export const LINE_WIDTH = 79;

/**
 * Input text with everything that does not print made visible: controls (an ESC could drive the terminal), format
 * characters (a bidi override reorders the line), unpaired surrogates, unassigned code points, line separators.
 */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = char.codePointAt(0)!;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** Columns of printable text. From U+1100 on, every character counts as wide: never too narrow an estimate. */
export function width(text: string): number {
  let columns = 0;
  for (const char of text) columns += char.codePointAt(0)! >= 0x1100 ? 2 : 1;
  return columns;
}

/** The widest cell of each column; a row may lack cells at its end. */
export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  }
  return widths;
}

/** A line a row, its cells padded to `widths` with `gap` spaces between; the columns in `right` end together. No space at a line's end. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  widths: readonly number[],
  right: readonly number[],
  gap: number,
): string[] {
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const space = " ".repeat((widths[i] ?? 0) - width(cell));
        return right.includes(i) ? space + cell : cell + space;
      })
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}

/** Words of `text` on lines of at most `columns`; continuation lines start with `indent` spaces. */
export function wrap(text: string, indent: number, columns: number = LINE_WIDTH): string[] {
  const lines: string[] = [];
  const margin = " ".repeat(indent);
  let line = "";
  let isEmpty = true;
  for (const word of text.split(" ")) {
    for (const [i, piece] of pieces(word, columns - indent).entries()) {
      const joined = isEmpty ? line + piece : `${line} ${piece}`;
      if (i === 0 && width(joined) <= columns) {
        line = joined;
      } else {
        if (!isEmpty) lines.push(line);
        line = margin + piece;
      }
      isEmpty = false;
    }
  }
  return [...lines, line];
}

/** A word cut into pieces of at most `columns`. */
function pieces(word: string, columns: number): string[] {
  const out: string[] = [];
  let piece = "";
  let used = 0;
  for (const char of word) {
    const columnsOfChar = width(char);
    if (used + columnsOfChar > columns) {
      out.push(piece);
      piece = "";
      used = 0;
    }
    piece += char;
    used += columnsOfChar;
  }
  return [...out, piece];
}
