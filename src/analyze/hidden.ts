// Who may hold or use an mm unseen, and the hook that would show it, from the columns that name them: for explain and doctor.
import type { VerdictTables } from "../table/verdict-tables.ts";

/** A name of the column `hidden`, taken apart: kinds of holder, hook. */
export interface HiddenHolder {
  readonly kinds: string;
  readonly hook: string;
}

/** Forks that some policy leaves without a decision or verdict for this. */
export interface HiddenUse extends HiddenHolder {
  readonly forks: number;
}

/** "khugepaged: __khugepaged_enter" taken apart. */
export function hiddenHolder(name: string): HiddenHolder {
  const at = name.indexOf(": ");
  const kinds = name.slice(0, at);
  return {
    kinds: kinds === "unknown" ? "any holder" : kinds.replaceAll("/", ", "),
    hook: name.slice(at + 2),
  };
}

/** "khugepaged (shown by __khugepaged_enter)". */
export function hiddenText(name: string): string {
  const { kinds, hook } = hiddenHolder(name);
  return `${kinds} (shown by ${hook})`;
}

/** What hides, most frequent first. */
export function hiddenUses({ verdicts }: VerdictTables): HiddenUse[] {
  const forks = new Map<string, Set<number>>();
  for (let row = 0; row < verdicts.length; row++) {
    for (const name of verdicts.get("hidden", row)) {
      const known = forks.get(name) ?? new Set();
      forks.set(name, known.add(verdicts.get("fork", row) ?? -1));
    }
  }
  return [...forks]
    .map(([name, { size }]) => ({ ...hiddenHolder(name), forks: size }))
    .sort((a, b) => b.forks - a.forks || (a.hook < b.hook ? -1 : 1));
}
