// A chart's SVG as PNG, by resvg: an optional dependency, for it is machine code. Black on white, two pixels a point.
import { UsageError } from "./exit.ts";

type Resvg = typeof import("@resvg/resvg-js");

/** Letters that any font has: without a font resvg draws nothing where text is, and says nothing. */
const PROBE =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="15" font-family="sans-serif">Mn</text></svg>';

/** The picture's bytes. Throws UsageError where resvg or any font is missing. */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const resvg = await loadResvg();
  const draw = (
    text: string,
    background: string | undefined,
  ): ReturnType<InstanceType<Resvg["Resvg"]>["render"]> =>
    new resvg.Resvg(text, {
      font: { loadSystemFonts: true, sansSerifFamily: "DejaVu Sans" },
      fitTo: { mode: "zoom", value: 2 },
      ...(background === undefined ? {} : { background }),
    }).render();
  if (draw(PROBE, undefined).pixels.every((byte) => byte === 0)) {
    throw new UsageError(
      "no font is installed here, so a PNG would have no text; write .svg, or install one (DejaVu Sans)",
    );
  }
  return draw(svg, "white").asPng();
}

async function loadResvg(): Promise<Resvg> {
  try {
    return await import("@resvg/resvg-js");
  } catch (error) {
    const what = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new UsageError(
      `PNG needs resvg (npm package @resvg/resvg-js), which is not installed or does not load here: ${what}; ` +
        "write .svg and convert it (rsvg-convert, Inkscape, a browser)",
    );
  }
}
