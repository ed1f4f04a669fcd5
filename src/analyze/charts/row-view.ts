// The shape of every chart with one row a name: the name and its figures above a bar, so that the bar has the whole
// width and the text is readable on a phone.
import type { JsonObject } from "./chart.ts";

const ROW_HEIGHT = 40;

export interface RowView {
  readonly data: string;
  /** Field whose values are the rows, in this order from top to bottom. */
  readonly field: string;
  readonly names: readonly string[];
  /** Transforms of the whole view. */
  readonly transform: readonly JsonObject[];
  readonly bar: {
    readonly transform?: readonly JsonObject[];
    readonly mark?: JsonObject;
    readonly encoding: JsonObject;
  };
  /** Transforms that leave one row a name with fields `left` and `right`: the text above its bar. */
  readonly label: readonly JsonObject[];
  readonly extra?: readonly JsonObject[];
}

/** Layers: bars, the text above each, and what the chart adds. Encodings of extra layers may use `rowY`. */
export function rowView(view: RowView): JsonObject {
  const y = rowY(view.field, view.names);
  return {
    data: { name: view.data },
    height: { step: ROW_HEIGHT },
    transform: [...view.transform],
    layer: [
      {
        transform: [...(view.bar.transform ?? [])],
        mark: { type: "bar", height: 13, yOffset: 9, ...view.bar.mark },
        encoding: { y, ...view.bar.encoding },
      },
      {
        transform: [...view.label],
        layer: [
          {
            mark: {
              type: "text",
              align: "left",
              baseline: "middle",
              yOffset: -7,
              fontWeight: "bold",
              limit: { expr: "max(240, width * 0.62)" },
            },
            encoding: { y, x: { value: 0 }, text: { field: "left" } },
          },
          {
            mark: { type: "text", align: "right", baseline: "middle", yOffset: -7 },
            encoding: { y, x: { value: "width" }, text: { field: "right" } },
          },
        ],
      },
      ...(view.extra ?? []),
    ],
  };
}

/** The y encoding of rows: names in the given order, also those that a selection leaves without data. */
export function rowY(field: string, names: readonly string[]): JsonObject {
  return {
    field,
    type: "nominal",
    title: null,
    axis: null,
    scale: { domain: [...names], paddingInner: 0, paddingOuter: 0 },
  };
}
