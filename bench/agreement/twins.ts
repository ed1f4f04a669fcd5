// Stock tracepoints alone against the truth: recordings X.stock* are a second ftrace instance of the run that X.kprobe
// recorded with probes and samples. Forks are paired by forker and child; the two checks (write lock taken, uprobe_dup_mmap)
// are microseconds apart.
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { type Outcome, run } from "../../test/replay/recordings.ts";
import { emptyTally, TALLY_HEAD, type Tally, tally, tallyText } from "./blind.ts";
import { byKey, load } from "./recordings.ts";

const SLACK_NS = 1_000_000n;

export class Twins {
  readonly #rows: { readonly name: string; readonly paired: string; readonly figures: Tally }[] = [];

  async add(file: string, stock: Outcome): Promise<void> {
    if (!/\.stock/.test(basename(file))) return;
    const other = file.replace(/\.stock[^.]*\./, ".kprobe.");
    const twin = existsSync(other) ? load(other) : undefined;
    if (twin === undefined) return;
    const truth = await run(twin);
    const figures = emptyTally();
    tally(figures, truth, stock, SLACK_NS);
    const found = byKey(stock);
    const sampled = [...byKey(truth)].filter(([, fork]) => fork.sampled_users !== null);
    const paired = sampled.filter(([key]) => found.has(key)).length;
    const measured = stock.forks.filter(({ window }) => window === "measured").length;
    this.#rows.push({
      name: file.split("/").slice(-3).join("/").replace(".zst", ""),
      paired: `${paired}/${sampled.length} ${measured}/${stock.forks.length}`,
      figures,
    });
  }

  print(): void {
    console.log(`${"stock twin".padEnd(44)} paired  windows ${TALLY_HEAD}`);
    for (const { name, paired, figures } of this.#rows)
      console.log(`${name.padEnd(44)} ${paired.padStart(15)} ${tallyText(figures)}`);
    console.log("");
  }
}
