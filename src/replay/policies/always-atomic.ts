// The baseline: what every kernel does, locked updates in every fork.
import { type Policy, UNLOCKED } from "./policy.ts";

export const alwaysAtomic: Policy = { ...UNLOCKED, id: "always-atomic", reads: [], decide: () => "slow" };
