// Blocks as Markdown for issues and wikis. Input text can neither mark up nor carry HTML.
import type { Block } from "./brief.ts";
import { printable } from "./plain-text.ts";

/** Text with everything that Markdown or HTML would take as markup escaped; one line. */
export function markdownText(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]|#~!&<>@]/g, (char) => ENTITIES[char] ?? `\\${char}`);
}

const ENTITIES: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;" };

/** Text that begins a line: nothing there may make it a list or a rule. */
function lineText(text: string): string {
  return markdownText(text).replace(/^([-+=]|\d+(?=[.)] ))/, "\\$1");
}

/** The document, ending in a line end. */
export function briefMarkdown(blocks: readonly Block[]): string {
  let isFirst = true;
  const parts = blocks.map((block) => {
    if (block.kind !== "heading") return partOf(block);
    const mark = isFirst ? "#" : "##";
    isFirst = false;
    return `${mark} ${markdownText(block.text)}`;
  });
  return `${parts.join("\n\n")}\n`;
}

function partOf(block: Exclude<Block, { kind: "heading" }>): string {
  if (block.kind === "paragraph") return lineText(block.text);
  if (block.kind === "list") return block.items.map((item) => `- ${lineText(item)}`).join("\n");
  const row = (cells: readonly string[]): string => `| ${cells.map(markdownText).join(" | ")} |`;
  const rule = block.head.map((_, i) => (block.numbers.includes(i) ? "---:" : "---"));
  return [row(block.head), `| ${rule.join(" | ")} |`, ...block.rows.map(row)].join("\n");
}
