// Three command lines a command, printed at the end of its --help. A test runs each as it stands.

/** By command name; each line is what a user would type. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  analyze: [
    "forkcast analyze trace.txt",
    "forkcast analyze run1.txt.zst run2.txt.zst --kernel 6.1 -o both",
    "perf script --show-lost-events | forkcast analyze - --fail-on unsafe",
  ],
  ingest: [
    "forkcast ingest trace.txt -o events.arrow",
    "forkcast ingest capture.txt --format ftrace-text -o events.arrow",
    "zcat trace.gz | forkcast ingest - --probe p=kthread_use_mm -o e.arrow",
  ],
  replay: [
    "forkcast replay events.arrow -o result",
    "forkcast replay events.arrow --blind --json -o blind",
    "forkcast replay events.arrow --assume armed:mmput --parquet -o result",
  ],
  report: [
    "forkcast report forkcast-out -o report.html",
    "forkcast report forkcast-out --text -o mail.txt",
    "forkcast report forkcast-out --comm bash --markdown",
  ],
  explain: [
    "forkcast explain forkcast-out 14",
    "forkcast explain forkcast-out 0 | grep sched_switch",
    "forkcast explain forkcast-out --comm bash -C 0,1",
  ],
  explore: [
    "forkcast explore",
    "forkcast explore --policy users-only --borrowers 2 --borrower-kinds raw",
    "forkcast explore --policy fork-lock --rt --json",
  ],
  chart: [
    "forkcast chart forkcast-out --list",
    "forkcast chart forkcast-out policies -o policies.png",
    "forkcast chart forkcast-out over-time -o over-time.json",
  ],
  export: [
    "forkcast export forkcast-out --perfetto -o timeline.json",
    "forkcast export forkcast-out --perfetto | gzip > timeline.json.gz",
    "forkcast export both --perfetto -o both.json",
  ],
  compare: [
    "forkcast compare before after",
    "forkcast compare linux-6.1 linux-6.12 --json",
    "forkcast compare forkcast-out blind",
  ],
  doctor: [
    "forkcast doctor trace.txt",
    "forkcast doctor trace.dat perf.data --json",
    "trace-cmd report -N | forkcast doctor - --kernel 6.12",
  ],
  recipe: [
    "forkcast recipe > record.sh && sudo sh record.sh 10",
    "forkcast recipe tracefs --kernel 6.12 > record.sh",
    "forkcast recipe bpftrace | ssh root@host 'cat > record.sh'",
  ],
  query: [
    "forkcast query forkcast-out 'SELECT cause, sum(refs) FROM denials GROUP BY 1'",
    "forkcast query forkcast-out .schema",
    "forkcast query forkcast-out 'FROM forks WHERE mm_count > 1' --format csv",
  ],
  completion: [
    "forkcast completion bash > ~/.bash_completion.d/forkcast",
    "forkcast completion zsh > ~/.zfunc/_forkcast",
    "forkcast completion fish > ~/.config/fish/completions/forkcast.fish",
  ],
  man: [
    "forkcast man | man -l -",
    "forkcast man > ~/.local/share/man/man1/forkcast.1",
    "forkcast man | mandoc -T html > forkcast.html",
  ],
};

/** The lines that --help ends with; "" for a command without examples. */
export function examplesText(name: string): string {
  const lines = EXAMPLES[name];
  return lines === undefined ? "" : `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
