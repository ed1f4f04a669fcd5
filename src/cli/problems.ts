// Problems that reading a file can meet before any format is known: compressed data that is cut or damaged.
// Added to the trace's ProblemLog by trace-input.ts; docs/formats.md lists them.
import type { ProblemKind } from "../base/problem.ts";

export const TRUNCATED_COMPRESSION: ProblemKind = {
  code: "input/truncated-compression",
  severity: "data-loss",
  source: "recorder",
  meaning: "the compressed file ends early; everything up to that point was analyzed, the rest is missing",
};

export const CORRUPT_COMPRESSION: ProblemKind = {
  code: "input/corrupt-compression",
  severity: "data-loss",
  source: "recorder",
  meaning: "the compressed data is damaged; everything up to that point was analyzed, the rest is missing",
};

export const TRAILING_GARBAGE: ProblemKind = {
  code: "input/trailing-garbage",
  severity: "info",
  source: "recorder",
  meaning: "bytes that are not compressed data follow the compressed trace; they were ignored",
};

export const CLI_PROBLEMS: readonly ProblemKind[] = [
  TRUNCATED_COMPRESSION,
  CORRUPT_COMPRESSION,
  TRAILING_GARBAGE,
];
