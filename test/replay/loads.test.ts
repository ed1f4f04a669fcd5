// The replay's loads of CR3 against tlb_flush reason 0: short traces, and the recordings of traces/6.12.
import { expect, test } from "vitest";
import { recording, run } from "./recordings.ts";
import { specimen } from "./specimens.ts";

const NOTHING = { compared: 0, equal: 0, events: 0, unexplained: 0, exiting: 0, borrowing: 0 };

test.each([
  ["cr3-load-missed-probe", { ...NOTHING, events: 1, unexplained: 1 }],
  ["cr3-loads-match", { ...NOTHING, compared: 2, equal: 2, events: 2 }],
  ["cr3-load-missing", { ...NOTHING, compared: 2, equal: 1, events: 1 }],
  ["cr3-load-exit-first", { ...NOTHING, events: 1 }],
  ["cr3-load-vfork-exec", { ...NOTHING, compared: 1, equal: 1, events: 1 }],
])("%s", async (name, expected) => {
  expect((await run(specimen(name))).info.crLoads).toEqual(expected);
});

test.each(["6.12/W1.ftrace.kprobe.txt.zst", "6.12/W1.ftrace.stock.txt.zst"])(
  "%s: all agree",
  async (file) => {
    const loads = (await run(recording(file))).info.crLoads!;
    expect(loads.compared).toBeGreaterThan(100);
    expect(loads.equal).toBe(loads.compared);
    expect(loads.unexplained).toBe(0);
  },
);

test("stock: loads claimed around an exit whose exit_mm was not recorded differ", async () => {
  const loads = (await run(recording("6.12/W6.ftrace.stock-hashed.txt.zst"))).info.crLoads!;
  expect(loads).toEqual({ ...NOTHING, compared: 1659, equal: 1583, events: 2669, exiting: 76 });
});

test("nothing is compared where tlb_flush is not recorded", async () => {
  const { info } = await run(recording("6.1/W1.ftrace.txt.zst"));
  expect(info.crLoads).toEqual(NOTHING);
});
