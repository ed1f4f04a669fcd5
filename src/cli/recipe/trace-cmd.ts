// The recipe for trace-cmd: kprobes through tracefs, then one trace-cmd record.
import { LOCK_EVENTS, LOCK_FILTER, RECIPE_EVENTS } from "./probes.ts";
import {
  arm,
  bufferSize,
  GROUP,
  head,
  offsets,
  preamble,
  type RecipeOptions,
  reportMisses,
} from "./shell.ts";

export function traceCmdRecipe(options: RecipeOptions): string {
  return [
    ...head("trace-cmd", [
      "sh record.sh [SECONDS] [OUTPUT]     10 s into trace.dat; FC_SECONDS, FC_OUT, FC_BUFFER_KB do the same",
      "FC_COMMAND='make -j8' sh record.sh  records while the command runs, instead of a time",
      "then: forkcast analyze trace.txt    the text that trace-cmd report prints of trace.dat",
    ]),
    ...preamble("trace.dat", options),
    `command -v trace-cmd >/dev/null 2>&1 || { say 'no trace-cmd (forkcast recipe tracefs needs none)'; exit 1; }`,
    "cleanup() { trap - EXIT; disarm; }",
    "trap cleanup EXIT",
    "trap 'exit 130' INT; trap 'exit 143' TERM HUP",
    "",
    ...offsets(),
    ...arm(),
    ...bufferSize(),
    `set -- -e ${GROUP}`,
    "add() {",
    `  if [ -d "$T/events/$1/$2" ]; then armed="$armed $2"; return 0; fi`,
    `  say "no tracepoint $1:$2"; return 1`,
    "}",
    ...RECIPE_EVENTS.map((event) => addEvent(event, "")),
    "# Taken for reading by every page fault: only writers are kept.",
    ...LOCK_EVENTS.map((event) => addEvent(event, ` -f '${LOCK_FILTER}'`)),
    "",
    `say "recording $cpus CPUs, $kb KiB each, into $out: \${FC_COMMAND:-$seconds s}"`,
    `FC_MARKER=$T/trace_marker FC_ARMED="forkcast: armed$armed" FC_RUN=\${FC_COMMAND:-sleep $seconds} \\`,
    `  trace-cmd record -q -C mono -b "$kb" -o "$out" "$@" \\`,
    `  sh -c 'echo "forkcast: kernel $(uname -r)" >"$FC_MARKER"; echo "$FC_ARMED" >"$FC_MARKER"; eval "$FC_RUN"' </dev/null || exit 1`,
    ...reportMisses(),
    "# -N: libtraceevent's own sched_switch drops the + of R+, which tells a preempted task.",
    `text=\${out%.dat}.txt`,
    `trace-cmd report -N -i "$out" >"$text" || exit 1`,
    `say "$(wc -l <"$text") lines in $text; now: forkcast analyze $text"`,
    ")",
    "",
  ].join("\n");
}

function addEvent(event: string, filter: string): string {
  const [system = "", name = ""] = event.split(":");
  return `add ${system} ${name} && set -- "$@" -e ${event}${filter}`;
}
