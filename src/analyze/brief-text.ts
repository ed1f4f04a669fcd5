// Blocks as plain text for mailing lists: under 78 columns, so that one quotation mark still fits.
import type { Block, BriefTable } from "./brief.ts";
import { alignColumns, columnWidths, printable, width, wrap } from "./plain-text.ts";

const COLUMNS = 77;

/** Lines of at most 77 columns, ending in a line end. */
export function briefText(blocks: readonly Block[]): string {
  return `${blocks.map((block) => linesOf(block).join("\n")).join("\n\n")}\n`;
}

function linesOf(block: Block): string[] {
  switch (block.kind) {
    case "heading": {
      const lines = wrap(printable(block.text), 0, COLUMNS);
      return [...lines, "=".repeat(Math.max(...lines.map(width)))];
    }
    case "paragraph":
      return wrap(printable(block.text), 0, COLUMNS);
    case "list":
      return block.items.flatMap((item) => wrap(`- ${printable(item)}`, 2, COLUMNS));
    case "table":
      return tableLines(block);
  }
}

function tableLines({ head, rows, numbers }: BriefTable): string[] {
  const cells = [head, ...rows].map((row) => row.map(printable));
  const widths = columnWidths(cells);
  const sum = widths.reduce((total, columns) => total + columns, 0);
  const gap = [2, 1].find((blanks) => sum + blanks * (widths.length - 1) <= COLUMNS);
  return gap === undefined ? tooWide(cells) : alignColumns(cells, widths, numbers, gap);
}

/** A row a paragraph where numbers are too long for columns: "mmap-lock: fast 12345678, % 87.3, …". */
function tooWide([head = [], ...rows]: readonly (readonly string[])[]): string[] {
  return rows.flatMap(([name = "", ...cells]) =>
    wrap(`${name}: ${cells.map((text, i) => `${head[i + 1] ?? ""} ${text}`).join(", ")}`, 2, COLUMNS),
  );
}
