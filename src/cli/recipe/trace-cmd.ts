// The recipe for trace-cmd: kprobes through tracefs, then one trace-cmd record.
import {
  arm,
  bufferSize,
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

export function traceCmdRecipe(options: RecipeOptions): string {
  return [
    ...head("trace-cmd", [
      "sh record.sh [SECONDS] [OUTPUT]     10 s into trace.dat; FC_SECONDS, FC_OUT, FC_BUFFER_KB do the same",
      "FC_COMMAND='make -j8' sh record.sh  records while the command runs, instead of a time",
      "then: forkcast analyze trace.dat",
    ]),
    ...preamble("trace.dat", options),
    needs("trace-cmd"),
    ...cleanUp(),
    ...offsets(),
    ...arm(),
    ...bufferSize(),
    ...selectEvents(GROUP, "-f"),
    `say "recording $cpus CPUs, $kb KiB each, into $out: \${FC_COMMAND:-$seconds s}"`,
    `FC_MARKER=$T/trace_marker FC_ARMED="forkcast: armed$armed" FC_RUN=\${FC_COMMAND:-sleep $seconds} \\`,
    `  trace-cmd record -q -C mono -b "$kb" -o "$out" "$@" \\`,
    `  sh -c 'echo "forkcast: kernel $(uname -r)" >"$FC_MARKER"; echo "$FC_ARMED" >"$FC_MARKER"; eval "$FC_RUN"' </dev/null || exit 1`,
    ...reportMisses(),
    `say "$(wc -c <"$out") bytes in $out; now: forkcast analyze $out"`,
    ")",
    "",
  ].join("\n");
}
