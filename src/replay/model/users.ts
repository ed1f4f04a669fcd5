// mm_users: the ledger of proven gets and puts (semantics §2.1, §2.4 rows 3, 4, 6, 9, and §9.2, §9.4, §9.11).
// A get counts from its return probe, a put from its entry probe, so the sum never exceeds the truth; what may lie
// between is a doubt on the forks checked there.
import { Doubt } from "../forks.ts";
import { joiningHolder, taskHolder } from "../holders.ts";
import { beginExit, exitPut } from "./exits.ts";
import { confirmMember, join, type Model, note, settleLeft } from "./model.ts";
import { Note, UNSEEN } from "./names.ts";
import { exec } from "./switching.ts";
import { Exec, Half, NO_LIFE, ShareKind, TaskKind, UNKNOWN_LIFE } from "./world.ts";

/** The task has shown an event that a half-done mmput cannot precede: its last put is done (§9.2). */
export function settlePut(m: Model, task: number): void {
  const { tasks, mms } = m.world;
  const life = tasks.pendingPut[task]!;
  if (life < 0) return;
  mms.pendingPuts[life]! -= 1;
  m.world.names.remove(Note.giving, life, task);
  tasks.putHalf[task] = Half.none;
  tasks.pendingPut[task] = NO_LIFE;
}

/**
 * get_task_mm() or mm_access() returned `life` to `task`. mm_users rose at some instant since `from`, the last event
 * that proves the caller had not begun.
 */
export function get(m: Model, task: number, life: number, from: number): void {
  const { world } = m;
  const { tasks, mms } = world;
  mms.sum[life]! += 1;
  mms.joinSeq[life] = world.seq;
  if (tasks.kind[task] === TaskKind.kernel) mms.getsKthread[life]! += 1;
  else if (tasks.mm[task] === life) mms.getsSelf[life]! += 1;
  else mms.getsReader[life]! += 1;
  const held = tasks.gets.get(task);
  if (held === undefined) tasks.gets.set(task, [life]);
  else held.push(life);
  m.onHold(task, life, "ref", true);
  // Where puts are not recorded, nobody knows who still holds what.
  if (world.putsSeen) note(m, Note.get, life, task);
  m.forks.patchUsers(world, life, from, world.seq, 0, 1, Doubt.unfinishedGet);
}

/** get_task_mm() or mm_access() entered: the reference may be taken any time until the return. */
export function beginGet(m: Model, task: number, life: number): void {
  const { tasks, mms } = m.world;
  endGet(m, task);
  tasks.getLife[task] = life;
  mms.openGets[life]! += 1;
  tasks.getHalf[task] = holderOf(m, task, life);
  note(m, Note.taking, life, task);
}

/** copy_process() entered with CLONE_VM: copy_mm() may raise mm_users any time until task_newtask, or the return, shows it over. */
export function beginClone(m: Model, task: number): void {
  const { tasks } = m.world;
  endGet(m, task);
  if (tasks.mm[task]! < 0) return;
  beginGet(m, task, tasks.mm[task]!);
  tasks.getHalf[task] = Half.thread;
}

/**
 * The trace is over and `task`'s call has not returned: its target may have exec'd since, so that the reference is one of
 * the new mm; where the target is unknown, of any.
 */
export function cutGet(m: Model, task: number): void {
  const { world } = m;
  const { tasks } = world;
  const entry = tasks.getEntry[task]!;
  // An event of its own since then shows that it is back: the return was missed, not the trace cut.
  if (entry < 0 || tasks.firm[task]! > entry) return;
  const target = tasks.getTarget[task]!;
  const life = target < 0 ? UNKNOWN_LIFE : tasks.mm[target]!;
  for (let l = 0; l < world.mms.length; l++)
    if (life < 0 || l === life) m.forks.patchUsers(world, l, entry, world.seq + 1, 0, 1, Doubt.unfinishedGet);
}

/** The call has returned, with or without a reference. */
export function endGet(m: Model, task: number): void {
  const { tasks, mms } = m.world;
  if (tasks.getLife[task]! >= 0) mms.openGets[tasks.getLife[task]!]! -= 1;
  m.world.names.remove(Note.taking, tasks.getLife[task]!, task);
  tasks.getHalf[task] = Half.none;
  tasks.getLife[task] = NO_LIFE;
}

function holderOf(m: Model, task: number, life: number): Half {
  const { tasks, mms } = m.world;
  if (tasks.kind[task] === TaskKind.kernel) return Half.borrower;
  return tasks.mm[task] === life && mms.borrows[life]! > 0 ? Half.borrower : Half.reader;
}

/** Takes one seen get of `life` off `task`; false when it holds none. */
function release(m: Model, task: number, life: number): boolean {
  const { tasks, mms } = m.world;
  const held = tasks.gets.get(task);
  const at = held?.indexOf(life) ?? -1;
  if (held === undefined || at < 0) return false;
  held.splice(at, 1);
  outlives(m, life);
  m.onHold(task, life, "ref", false);
  // What the task borrows from now on rests on another reference.
  if (!held.includes(life) && tasks.lastGetMm[task] === life) tasks.lastGetMm[task] = NO_LIFE;
  if (held.length === 0) tasks.gets.delete(task);
  if (tasks.kind[task] === TaskKind.kernel && mms.getsKthread[life]! > 0) mms.getsKthread[life]! -= 1;
  else if (tasks.mm[task] === life && mms.getsSelf[life]! > 0) mms.getsSelf[life]! -= 1;
  else if (mms.getsReader[life]! > 0) mms.getsReader[life]! -= 1;
  else if (mms.getsSelf[life]! > 0) mms.getsSelf[life]! -= 1;
  else if (mms.getsKthread[life]! > 0) mms.getsKthread[life]! -= 1;
  return true;
}

/** A borrow that goes on after every get a trace shows was put rests on a reference it does not show (§9.4). */
function outlives(m: Model, life: number): void {
  const { mms } = m.world;
  if (mms.borrows[life]! > 0 && mms.borrows[life]! > mms.gets(life) - 1) mms.hiddenHolder[life] = 1;
}

/** mmput() or mmput_async() entered by `task`: whose reference is it? */
export function put(m: Model, task: number, life: number): void {
  const { world, forks } = m;
  const { tasks, mms } = world;
  settlePut(m, task);
  if (mms.closed[life] === 1) return;
  tasks.pendingPut[task] = life;
  mms.pendingPuts[life]! += 1;
  const share = tasks.leaveShare[task]!;
  tasks.putHalf[task] =
    tasks.leaving[task] === life
      ? share === ShareKind.vfork
        ? Half.vfork
        : Half.thread
      : holderOf(m, task, life);
  // What is given back is as old as it was; a reference never seen taken shows itself here.
  const given = tasks.leaving[task] === life ? Note.leaving : Note.get;
  if (!world.names.turn(given, Note.giving, life, task)) note(m, Note.giving, life, task, UNSEEN);
  if (tasks.leaving[task] === life) {
    settleLeft(m, task);
    membershipPut(m, task, life);
    return;
  }
  if (release(m, task, life)) {
    tasks.edge[task] = world.seq;
    tasks.edgeMm[task] = life;
    mms.sum[life]! -= 1;
    if (mms.gets(life) === 0) resolveHidden(m, life);
    return;
  }
  // bprm's or a failed fork's new mm, put by its maker before anybody used it.
  if (mms.maker[life] === task && mms.members[life] === 0) {
    mms.sum[life]! -= 1;
    return;
  }
  // Nobody's seen get: an mmget_not_zero() the trace has no hook for (§9.4), by this task since its own birth,
  // or (a) the release of another task's get, or (b) a member's exit whose probes are missing.
  // A task holds no two transient references to one mm: its last edge on this mm bounds the get from below.
  const edge = tasks.edgeMm[task] === life ? tasks.edge[task]! : -1;
  tasks.edge[task] = world.seq;
  tasks.edgeMm[task] = life;
  const from = Math.max(mms.birth[life]!, tasks.birth[task]!, edge);
  forks.patchUsers(world, life, from, world.seq, 0, 1, Doubt.hiddenGet);
  const cause = tasks.kind[task] === TaskKind.kernel ? "borrower" : "reader";
  forks.addHolder(world, life, from, world.seq, taskHolder(world, task, "mm_users", cause, "possible"));
  // A task that can take mmget_not_zero has a handle on the mm, most often an open /proc file (mm_count).
  if (tasks.mm[task] !== life && tasks.kind[task] !== TaskKind.kernel) {
    noteOpened(m, task, life);
    forks.patchCount(world, life, from, world.seq, 0, 1, Doubt.procFd);
    forks.addHolder(world, life, from, world.seq, taskHolder(world, task, "mm_count", "proc-fd", "possible"));
  }
  if (mms.gets(life) > 0 || tasks.mm[task] === life) {
    const list = mms.ambiguous[life];
    if (list === undefined) mms.ambiguous[life] = [world.seq];
    else list.push(world.seq);
  }
}

/** `task` may hold a /proc file on `life` from now until its death (§9.7). */
export function noteOpened(m: Model, task: number, life: number): void {
  const { tasks, mms } = m.world;
  const held = tasks.opened.get(task);
  if (held === undefined) tasks.opened.set(task, [life]);
  else if (held.includes(life)) return;
  else held.push(life);
  mms.procFds[life]! += 1;
  note(m, Note.procFd, life, task);
}

/** The task is dead: files it opened are closed, unless a child may have inherited them (§9.7). */
export function closeOpened(m: Model, task: number): void {
  const { tasks, mms } = m.world;
  const held = tasks.opened.get(task);
  if (held === undefined) return;
  for (const life of held) {
    // One older than the trace may have made threads, which keep its file table.
    if (tasks.forked[task] !== 0 || tasks.birth[task]! < 0) continue;
    mms.procFds[life]! -= 1;
    m.world.names.remove(Note.procFd, life, task);
  }
  tasks.opened.delete(task);
}

function membershipPut(m: Model, task: number, life: number): void {
  const { tasks, mms } = m.world;
  tasks.leaving[task] = NO_LIFE;
  mms.sum[life]! -= 1;
  if (tasks.mm[task] !== life) return;
  if (tasks.exec[task] === Exec.releasing) {
    // exec_mmap() puts the old mm after it has switched to the new one: no other event need have shown that.
    const cpu = tasks.cpu[task]!;
    const isHere = cpu >= 0 && m.world.cpus.cur[cpu] === task;
    exec(m, isHere ? cpu : -1, task, execLife(m, task));
    tasks.leaving[task] = NO_LIFE;
  } else exitPut(m, task, life);
}

/** The mm an exec switches to: the one made for it, or one nobody saw made. */
export function execLife(m: Model, task: number): number {
  const { tasks, mms } = m.world;
  if (tasks.execNew[task]! >= 0) return tasks.execNew[task]!;
  // Where the making of an mm is recorded, one nobody saw made is older than the trace.
  const life = mms.create(-1, m.world.makesSeen ? -1 : tasks.firm[task]!, task);
  mms.sum[life] = 1;
  return life;
}

/** Every seen get has been put by its own taker: the ambiguous puts released hidden gets, and the sum stands. */
function resolveHidden(m: Model, life: number): void {
  const { world, forks } = m;
  const list = world.mms.ambiguous[life];
  if (list === undefined) return;
  world.mms.ambiguous[life] = undefined;
  for (const seq of list) forks.patchUsers(world, life, seq, world.seq, 1, -1, 0);
}

/** exit_mmap(): mm_users is 0. Closes the ledger: the only test of the whole sum the trace offers (§9.10). */
export function close(m: Model, life: number): void {
  const { world, forks } = m;
  const { mms } = world;
  if (mms.closed[life] === 1) return;
  mms.closed[life] = 1;
  // What was put in the gap is missing from the sum.
  if (world.lostDuring(life)) return;
  const open = mms.ambiguous[life]?.length ?? 0;
  const sum = mms.sum[life]!;
  if (sum === 0 && open > 0) resolveHidden(m, life);
  else if (sum === open && open > 0) {
    // Every ambiguous put released a seen get: the lower bound (sum less the ambiguous) was the value.
    for (const seq of mms.ambiguous[life]!) forks.patchUsers(world, life, seq, world.seq, 0, -1, 0);
    mms.ambiguous[life] = undefined;
  } else if (sum !== 0) mms.broken[life] = 1;
}

/** A task of `parent` with CLONE_VM: one more user, since the parent's copy_mm() somewhere after `from`. */
export function share(m: Model, parent: number, child: number, kind: ShareKind, from: number): void {
  const { world } = m;
  const { tasks, mms } = world;
  const life = tasks.mm[parent]!;
  endGet(m, parent);
  tasks.share[child] = kind;
  join(m, child, life, true);
  mms.sum[life]! += 1;
  if (kind === ShareKind.ioWorker) {
    // io_uring: the ring holds mm_count from before its worker until after it is gone (§9.5).
    mms.rings[life]! += 1;
    note(m, Note.ring, life, child);
    m.forks.patchCount(world, life, from, world.seq, 0, 1, Doubt.ring);
    m.forks.addHolder(
      world,
      life,
      from,
      world.seq,
      taskHolder(world, child, "mm_count", "io-uring", "possible"),
    );
  }
  // Before that event, when it began is not shown.
  m.forks.addHolder(world, life, from, world.seq, joiningHolder(world, child, "moving"));
  m.forks.patchUsers(world, life, from, world.seq, 0, 1, Doubt.unfinishedGet);
}

/** exit_mm_release/exec_mm_release: the task gives up tsk->mm; the mmput that follows is that reference's. */
export function beginLeave(m: Model, task: number, life: number, isExec: boolean): void {
  m.world.tasks.leaving[task] = confirmMember(m, task, life);
  m.world.tasks.exec[task] = isExec ? Exec.releasing : Exec.none;
  m.world.tasks.leaveShare[task] = m.world.tasks.share[task]!;
  if (!isExec) beginExit(m, task);
}
