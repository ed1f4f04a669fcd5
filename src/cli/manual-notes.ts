// What the manual page says beside the commands.
import type { ManualNotes } from "./man-page.ts";

export const MANUAL_NOTES: ManualNotes = {
  exitCodes: [
    ["0", "done"],
    ["1", "the --fail-on condition is met"],
    ["2", "usage: an option, or a place that cannot be written to"],
    ["3", "the input cannot be used; one line says what was found and what was expected"],
    ["70", "a bug of forkcast"],
  ],
  environment: [
    ["NO_COLOR", "when set and not empty, nothing is coloured unless --color always is given"],
    ["FORKCAST_DEBUG", "1 prints where a bug of forkcast happened"],
  ],
  files: [
    ["DIR/report.html", "the report: one file that opens without a network"],
    ["DIR/summary.json", "the same figures; schema_version says which fields to expect"],
    [
      "DIR/tables/*.arrow",
      "events, forks, verdicts, denials, exposures, blocks, near_misses, problems: Arrow IPC files",
    ],
  ],
};
