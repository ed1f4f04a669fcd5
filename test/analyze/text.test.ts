// The stdout answer: width, escaping, and that its numbers are the summary's.
import fc from "fast-check";
import { expect, test } from "vitest";
import { percent } from "../../src/analyze/figure-text.ts";
import { LINE_WIDTH, printable, width, wrap } from "../../src/analyze/plain-text.ts";
import { summarize } from "../../src/analyze/summary.ts";
import { renderText } from "../../src/analyze/text.ts";
import { emptyFixture, fixture, HOSTILE } from "../support/verdict-fixture.ts";

function textOf({ tables, metas, infos }: ReturnType<typeof fixture>) {
  const summary = summarize(tables, metas, infos);
  return { summary, text: renderText(summary, tables) };
}

test("the whole answer", () => {
  expect(textOf(fixture()).text).toMatchSnapshot();
  expect(textOf(emptyFixture()).text).toMatchSnapshot();
});

test("each policy's line has the summary's numbers", () => {
  const { summary, text } = textOf(fixture());
  for (const [id, policy] of Object.entries(summary.policies)) {
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${id} `))!;
    const expected = [
      percent(policy.fast, 12),
      policy.fast,
      policy.slow,
      policy.indeterminate,
      policy.unsafe,
    ];
    expect(line.split(/ +/).slice(1, 6)).toEqual(expected.map(String));
  }
});

test("below 80 columns and printable, whatever the input is called", () => {
  const name = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom(...HOSTILE, "x".repeat(999)),
  );
  fc.assert(
    fc.property(name, name, (path, sample) => {
      const { tables, metas, infos } = fixture();
      tables.problems.append({ ...tables.problems.row(0), sample });
      const { text } = textOf({
        tables,
        infos,
        metas: metas.map((meta) => ({ ...meta, path, kernel: path })),
      });
      for (const line of text.split("\n")) {
        expect(width(line)).toBeLessThanOrEqual(LINE_WIDTH);
        expect(line).not.toMatch(/\p{C}/u);
      }
    }),
  );
});

test("wrapping loses nothing but spaces", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 400 }), fc.nat({ max: 40 }), (text, indent) => {
      const clean = printable(text);
      expect(wrap(clean, indent).join("").replaceAll(" ", "")).toBe(clean.replaceAll(" ", ""));
    }),
  );
});

test("controls, bidi overrides and lone surrogates become visible", () => {
  expect(printable("a\u001b[2J\u0007b")).toBe("a\\x1b[2J\\x07b");
  expect(printable("rtl\u202egnp\ud800")).toBe("rtl\\u{202e}gnp\\u{d800}");
});
