// The recipe for perf: kprobes through tracefs, then one perf record. Its attributes declare what was armed.
import {
  arm,
  cleanUp,
  GROUP,
  head,
  needs,
  offsets,
  preamble,
  type RecipeOptions,
  reportMisses,
  selectEvents,
} from "./shell.ts";

export function perfRecipe(options: RecipeOptions): string {
  return [
    ...head("perf", [
      "sh record.sh [SECONDS] [OUTPUT]     10 s into perf.data; FC_SECONDS, FC_OUT do the same; FC_PAGES: buffer a CPU (16M)",
      "FC_COMMAND='make -j8' sh record.sh  records while the command runs, instead of a time",
      "then: forkcast analyze perf.data",
    ]),
    ...preamble("perf.data", options),
    needs("perf"),
    ...cleanUp(),
    ...offsets(),
    ...arm(),
    ...selectEvents(`${GROUP}:*`, "--filter"),
    `say "recording into $out: \${FC_COMMAND:-$seconds s}"`,
    `FC_RUN=\${FC_COMMAND:-sleep $seconds} perf record -q -a -k CLOCK_MONOTONIC -m "\${FC_PAGES:-16M}" -o "$out" "$@" \\`,
    `  -- sh -c 'eval "$FC_RUN"' </dev/null || exit 1`,
    ...reportMisses(),
    `say "$(wc -c <"$out") bytes in $out; now: forkcast analyze $out"`,
    ")",
    "",
  ].join("\n");
}
