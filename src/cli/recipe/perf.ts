// The recipe for perf: kprobes through tracefs, then perf record and perf script.
import { LOCK_EVENTS, LOCK_FILTER, RECIPE_EVENTS } from "./probes.ts";
import { arm, GROUP, head, offsets, preamble, type RecipeOptions, reportMisses } from "./shell.ts";

export function perfRecipe(options: RecipeOptions): string {
  return [
    ...head("perf", [
      "sh record.sh [SECONDS] [OUTPUT]     10 s into perf.data; FC_SECONDS, FC_OUT do the same; FC_PAGES: buffer a CPU (16M)",
      "FC_COMMAND='make -j8' sh record.sh  records while the command runs, instead of a time",
      "then: forkcast analyze perf.txt     the text that perf script prints of perf.data",
    ]),
    ...preamble("perf.data", options),
    `command -v perf >/dev/null 2>&1 || { say 'no perf (forkcast recipe tracefs needs none)'; exit 1; }`,
    "cleanup() { trap - EXIT; disarm; }",
    "trap cleanup EXIT",
    "trap 'exit 130' INT; trap 'exit 143' TERM HUP",
    "",
    ...offsets(),
    ...arm(),
    `set -- -e '${GROUP}:*'`,
    "add() {",
    `  if [ -d "$T/events/$1/$2" ]; then armed="$armed $2"; return 0; fi`,
    `  say "no tracepoint $1:$2"; return 1`,
    "}",
    ...RECIPE_EVENTS.map((event) => addEvent(event, "")),
    "# Taken for reading by every page fault: only writers are kept.",
    ...LOCK_EVENTS.map((event) => addEvent(event, ` --filter '${LOCK_FILTER}'`)),
    "",
    `say "recording into $out: \${FC_COMMAND:-$seconds s}"`,
    `FC_RUN=\${FC_COMMAND:-sleep $seconds} perf record -q -a -k CLOCK_MONOTONIC -m "\${FC_PAGES:-16M}" -o "$out" "$@" \\`,
    `  -- sh -c 'eval "$FC_RUN"' </dev/null || exit 1`,
    ...reportMisses(),
    "# perf has no marker: the declaration stands in front of the text.",
    `text=\${out%.data}.txt`,
    `{ echo "# forkcast: armed$armed"`,
    `  perf script --header -F comm,pid,tid,cpu,time,event,trace --show-lost-events --ns -i "$out"`,
    `} >"$text" || exit 1`,
    `say "$(wc -l <"$text") lines in $text; now: forkcast analyze $text"`,
    ")",
    "",
  ].join("\n");
}

function addEvent(event: string, filter: string): string {
  const [system = "", name = ""] = event.split(":");
  return `add ${system} ${name} && set -- "$@" -e ${event}${filter}`;
}
