// Events as plain objects, for the oracle and its generator: a table spread out into rows, rows packed into a table.
// Slow and simple on purpose; the pipeline itself never does this.
import {
  EVENT_COLUMNS,
  type EventBatch,
  type EventTable,
  newBatch,
  type TraceMeta,
} from "../../src/table/event-batch.ts";

/** One row of an EventBatch; src/table/event-kinds.ts says what the columns mean per kind. */
export interface Row {
  readonly ns: number;
  readonly kind: number;
  readonly cpu: number;
  readonly ctx: number;
  readonly tid: number;
  readonly tgid: number;
  readonly comm: number;
  readonly argTid: number;
  readonly argComm: number;
  readonly mm: number;
  readonly mm2: number;
  readonly users: number;
  readonly count: number;
  readonly flags: number;
  readonly line: number;
}

/** The rows of one batch. */
export function rowsOf(batch: EventBatch): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < batch.length; i++) {
    rows.push(Object.fromEntries(EVENT_COLUMNS.map((name) => [name, batch[name][i]])) as unknown as Row);
  }
  return rows;
}

/** `rows` as batches of at most `batchRows`. */
export function* batchesOf(rows: readonly Row[], batchRows: number): Generator<EventBatch> {
  for (let from = 0; from < rows.length; from += batchRows) {
    const part = rows.slice(from, from + batchRows);
    const batch = newBatch(part.length);
    for (const [i, row] of part.entries()) for (const name of EVENT_COLUMNS) batch[name][i] = row[name];
    batch.length = part.length;
    yield batch;
  }
}

/** A table over `rows` that hands out batches of `batchRows`. */
export function tableOf(rows: readonly Row[], meta: TraceMeta, batchRows: number): EventTable {
  return {
    meta,
    forEachBatch: async (visit) => {
      for (const batch of batchesOf(rows, batchRows)) visit(batch);
    },
  };
}
