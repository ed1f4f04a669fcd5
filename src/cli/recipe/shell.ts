// The shell that all recipes share: checks, kprobes with fallbacks, buffer sizes, clean-up. POSIX sh in a subshell, so that
// it can be pasted into a root shell as well as run: `exit` and traps end the subshell, never the user's shell.
import { LOCK_EVENTS, LOCK_FILTER, RECIPE_EVENTS, RECIPE_PROBES, type RecipeProbe } from "./probes.ts";

export interface RecipeOptions {
  /** "6.12": the script says so when it runs on another kernel. */
  readonly kernel?: string;
}

/** Name of the kprobe group in tracefs. */
export const GROUP = "forkcast";

/** "'text'" for sh. */
export function quoteSh(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Comment lines at the top: what it is, how to run it, what it costs. */
export function head(tool: string, usage: readonly string[]): string[] {
  return [
    "#!/bin/sh",
    "# shellcheck disable=SC2016,SC2317",
    `# Records what forkcast needs, with ${tool}. Written by \`forkcast recipe ${tool}\`.`,
    "#",
    ...usage.map((line) => `#   ${line}`.trimEnd()),
    "#",
    "# Root; x86-64; run it or paste it. It probes the functions this kernel has, says which it lacks and what that costs,",
    "# leaves in the trace which were armed, and takes everything down again, also on Ctrl-C.",
    "# Cost: 2 to 3 records a context switch and some 50 a process (fork, exec, exit), up to 140 bytes of text each; every",
    "# record is a probe or tracepoint hit. Buffers: a tenth of the free memory at most. Measured: docs/commands.md#recipe.",
  ];
}

/** Variables, root check, kernel check. `out` is the default output file. */
export function preamble(out: string, { kernel }: RecipeOptions): string[] {
  return [
    "(",
    "set -u",
    `seconds=\${1:-\${FC_SECONDS:-10}}`,
    `out=\${2:-\${FC_OUT:-${out}}}`,
    `say() { printf 'forkcast: %s\\n' "$*" >&2; }`,
    `[ "$(id -u)" = 0 ] || { say 'not root: tracing needs it'; exit 1; }`,
    "T=/sys/kernel/tracing",
    `[ -w "$T/kprobe_events" ] || mount -t tracefs nodev "$T" 2>/dev/null`,
    `[ -w "$T/kprobe_events" ] || { say "no kprobe_events in $T: CONFIG_KPROBE_EVENTS is off, or lockdown is on"; exit 1; }`,
    `[ "$(uname -m)" = x86_64 ] || { say 'forkcast replays x86-64 only'; exit 1; }`,
    ...(kernel === undefined
      ? []
      : [
          `case $(uname -r) in ${kernel}.*|${kernel}-*|${kernel}) ;;`,
          `*) say "this kernel is $(uname -r), the recipe was asked for ${kernel}: it goes on and probes what is there" ;;`,
          "esac",
        ]),
    `grep -q ' ${GROUP}/' "$T/kprobe_events" 2>/dev/null && { say 'probes of an earlier run are there: is one running?'; exit 1; }`,
    "",
  ];
}

/** Offsets of fields from BTF, through bpftool; empty where there is none. Then arguments that need them are not used. */
export function offsets(): string[] {
  return [
    "# Field offsets from BTF. mm_users and mm_count lie in anonymous structs, so that the chain of members is followed.",
    "dump=''",
    `command -v bpftool >/dev/null 2>&1 && [ -r /sys/kernel/btf/vmlinux ] && dump=$(mktemp) &&`,
    `  bpftool btf dump file /sys/kernel/btf/vmlinux format raw >"$dump" 2>/dev/null`,
    "offset() {",
    `  [ -n "$dump" ] && awk -v want_type="$1" -v want="$2" '`,
    "    function find(id, base,    i, n, name) {",
    "      n = count[id]",
    "      for (i = 1; i <= n; i++) {",
    "        name = member[id, i]",
    "        if (name == want) { print (base + bits[id, i]) / 8; exit }",
    `        if (name == "(anon)") find(type[id, i], base + bits[id, i])`,
    "      }",
    "    }",
    '    /^\\[/ { id = substr($1, 2, length($1) - 2); isStruct = $2 == "STRUCT" || $2 == "UNION"',
    `      if ($2 == "STRUCT" && $3 == "\\047" want_type "\\047") target = id; next }`,
    `    isStruct && match($0, /bits_offset=[0-9]+/) {`,
    "      count[id]++; bits[id, count[id]] = substr($0, RSTART + 12, RLENGTH - 12)",
    `      name = $1; gsub("\\047", "", name); member[id, count[id]] = name`,
    "      match($0, /type_id=[0-9]+/); type[id, count[id]] = substr($0, RSTART + 8, RLENGTH - 8) }",
    `    END { if (target != "") find(target, 0) }' "$dump"`,
    "}",
    "USERS=$(offset mm_struct mm_users); COUNT=$(offset mm_struct mm_count); PID=$(offset task_struct pid)",
    `[ -n "$dump" ] && rm -f "$dump"`,
    "",
  ];
}

/** Arms every probe; `$armed` lists their functions. */
export function arm(): string[] {
  return [
    "armed='' absent=''",
    `disarm() {`,
    `  grep -o ' *[pr][0-9]*:${GROUP}/[a-z_0-9]*' "$T/kprobe_events" 2>/dev/null | sed 's/^.*://' |`,
    `    while read -r event; do echo "-:$event" >>"$T/kprobe_events"; done`,
    "}",
    `complain() { case " $absent " in *" $func "*) ;; *) absent="$absent $func"; say "$1" ;; esac; }`,
    "# probe p|r EVENT FUNCTION WHY-IT-MATTERS ARGUMENTS...: the first arguments that this kernel takes.",
    "probe() {",
    "  kind=$1 event=$2 func=$3 without=$4; shift 4",
    `  if ! grep -q " [tT] $func\\$" /proc/kallsyms; then`,
    `    suffixed=$(sed -n "s/^[0-9a-f]* [tT] \\($func\\.[a-z0-9.]*\\)\\$/\\1/p" /proc/kallsyms | head -n 1)`,
    `    [ -n "$suffixed" ] && without="only $suffixed, whose arguments may have moved; $without"`,
    `    complain "no $func: $without"; return`,
    "  fi",
    `  for args in "$@"; do`,
    `    case $args in`,
    `      *@USERS@*) if [ -z "$USERS" ] || [ -z "$COUNT" ]; then continue; fi ;;`,
    `      *@PID@*) if [ -z "$PID" ]; then continue; fi ;;`,
    "    esac",
    `    args=$(printf '%s' "$args" | sed "s/@USERS@/$USERS/;s/@COUNT@/$COUNT/;s/@PID@/$PID/")`,
    `    # A refused definition leaves nothing behind but a line in error_log.`,
    `    if echo "$kind:${GROUP}/$event $func $args" 2>/dev/null >>"$T/kprobe_events"; then`,
    `      case $args in *users=*) sampled=yes ;; esac`,
    `      case " $armed " in *" $func "*) ;; *) armed="$armed $func" ;; esac`,
    "      return",
    "    fi",
    "  done",
    `  complain "$func cannot be probed here: $without"`,
    "}",
    "sampled=no",
    ...RECIPE_PROBES.map(probeCall),
    `[ "$sampled" = yes ] || say 'mm_users and mm_count are not sampled (install bpftool, or use a kernel with typed kprobe arguments): they are derived'`,
    "",
  ];
}

function probeCall({ event, func, isReturn, args, without }: RecipeProbe): string {
  const kind = isReturn ? "r" : "p";
  return `probe ${kind} ${event} ${func} ${quoteSh(without)} \\\n  ${args.map(quoteSh).join(" \\\n  ")}`;
}

/** `$kb`: buffer per CPU, a tenth of the free memory at most, 64 MB at most; FC_BUFFER_KB overrides. */
export function bufferSize(): string[] {
  return [
    "cpus=$(grep -c '^processor' /proc/cpuinfo)",
    `kb=\${FC_BUFFER_KB:-$(awk -v n="$cpus" '/^MemAvailable/ { k = $2 / 10 / n; print int(k < 65536 ? k : 65536) }' /proc/meminfo)}`,
    "",
  ];
}

/** Says how many probe hits were missed: kprobe_profile's last column. */
export function reportMisses(): string[] {
  return [
    `awk '$3 > 0 { print "forkcast: probe " $1 " missed " $3 " of " $2 + $3 " hits" }' "$T/kprobe_profile" >&2`,
  ];
}

/** Everything goes when the recording ends, however it ends; `undo`: what is taken down before the probes. */
export function cleanUp(...undo: readonly string[]): string[] {
  return [
    "cleanup() {",
    "  trap - EXIT",
    ...undo.map((line) => `  ${line}`),
    "  disarm",
    "}",
    "trap cleanup EXIT",
    "trap 'exit 130' INT; trap 'exit 143' TERM HUP",
    "",
  ];
}

/** Stops where the tool is missing. */
export function needs(tool: string): string {
  return `command -v ${tool} >/dev/null 2>&1 || { say 'no ${tool} (forkcast recipe tracefs needs none)'; exit 1; }`;
}

/** The tracepoints as options of a tool, in "$@" behind that of the probes; `filter`: the option that keeps only some records of an event. */
export function selectEvents(probes: string, filter: string): string[] {
  return [
    `set -- -e '${probes}'`,
    "add() {",
    `  if [ -d "$T/events/$1/$2" ]; then armed="$armed $2"; return 0; fi`,
    `  say "no tracepoint $1:$2"; return 1`,
    "}",
    ...RECIPE_EVENTS.map((event) => addEvent(event, "")),
    "# Taken for reading by every page fault: only writers are kept.",
    ...LOCK_EVENTS.map((event) => addEvent(event, ` ${filter} '${LOCK_FILTER}'`)),
    "",
  ];
}

function addEvent(event: string, filter: string): string {
  const [system = "", name = ""] = event.split(":");
  return `add ${system} ${name} && set -- "$@" -e ${event}${filter}`;
}
