import type { Millis, TaskId } from '../domain/ids.ts'
import { Problem } from '../domain/problem.ts'
import type { Task } from '../domain/task.ts'
import { taskFinished } from '../domain/task-wording.ts'
import type { TaskStep } from '../ports/store.ts'
import type { Timer, World } from '../ports/world.ts'
import type { TaskObserver } from './observer.ts'
import type { Teller } from './operational.ts'
import { decideStep, type Expunge, failingStep, type StepParts } from './task-steps.ts'

// Those made later wait until one of these is over.
const mostAtOnce = 100
// After the fifth failure in a row, half a minute after the first, it is not the store that is away for a moment.
const firstWaitMs: Millis = 1_000
const mostFailures = 5
// What the official clients promise of the list: tasks of the past 90 days.
const keptMs: Millis = 90 * 24 * 3_600_000
const forgetEveryMs: Millis = 3_600_000
const forgottenAtOnce = 500

/** A task that has its turn when `at` comes. */
interface Turn {
  task: Task
  at: Millis
  failures: number
}

/**
 * Runs the background jobs: one step at a time, whose turn is due first, so that tasks share and a long one holds up
 * nobody. A step looks (beside the commits), decides, and is then one transaction; what a kill leaves is gone on with.
 */
export class TaskRunner {
  readonly #store: StepParts['store']
  readonly #parts: StepParts
  readonly #world: World
  readonly #observer: TaskObserver
  readonly #wakeRoad: () => void
  readonly #leads: () => boolean
  readonly #teller: Teller
  readonly #turns = new Map<TaskId, Turn>()
  /** When the list of what runs is to be read anew; null: it is known. */
  #readAt: Millis | null = null
  #timer: Timer | null = null
  #forgetting: Timer | null = null
  #running: Promise<void> | null = null
  #stopped = false

  constructor(parts: {
    readonly store: StepParts['store']
    readonly directory: StepParts['directory']
    readonly judge: StepParts['judge']
    readonly expunge: Expunge
    readonly world: World
    readonly teller: Teller
    readonly observer: TaskObserver
    /** There are deliveries that are due. */
    readonly wakeRoad: () => void
    /** Whether it is this node's to do; `wake` when it has become that. */
    readonly leads: () => boolean
  }) {
    this.#store = parts.store
    this.#parts = parts
    this.#world = parts.world
    this.#observer = parts.observer
    this.#wakeRoad = parts.wakeRoad
    this.#leads = parts.leads
    this.#teller = parts.teller
  }

  start(): void {
    this.wake()
    this.#forget()
  }

  /** A task was made or canceled, or others may have made one. */
  wake(): void {
    if (this.#stopped) return
    this.#readAt = this.#world.now()
    this.#go()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#forgetting?.cancel()
    await this.#running
  }

  get #goesOn(): boolean {
    return !this.#stopped && this.#leads()
  }

  #go(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      this.#sleep()
    })
  }

  async #run(): Promise<void> {
    while (this.#goesOn) {
      const now = this.#world.now()
      if (this.#readAt !== null && this.#readAt <= now) {
        await this.#read(now)
        continue
      }
      let next: Turn | null = null
      for (const turn of this.#turns.values()) if (next === null || turn.at < next.at) next = turn
      if (next === null || next.at > now) return
      await this.#step(next)
    }
  }

  #sleep(): void {
    if (!this.#goesOn) return
    let at = this.#readAt ?? Number.POSITIVE_INFINITY
    for (const turn of this.#turns.values()) at = Math.min(at, turn.at)
    if (at === Number.POSITIVE_INFINITY) return
    this.#timer = this.#world.after(Math.max(0, at - this.#world.now()), () => this.#go())
  }

  /** Takes up what runs by now. */
  async #read(now: Millis): Promise<void> {
    this.#readAt = null
    try {
      const tasks = await this.#store.tasks.running(mostAtOnce)
      const known = new Map(this.#turns)
      this.#turns.clear()
      for (const task of tasks) this.#turns.set(task.id, { at: now, failures: 0, ...known.get(task.id), task })
    } catch {
      // The store does not answer; the committer says so in the log.
      this.#readAt = now + firstWaitMs
    }
  }

  async #step(turn: Turn): Promise<void> {
    const begun = this.#world.now()
    try {
      const { step, restMs } = await decideStep(this.#parts, turn.task, begun)
      const task = await this.#advance(turn.task, step)
      turn.failures = 0
      // The rest is counted from the step's beginning: what a step takes must not slow its task down.
      turn.at = Math.max(turn.at, begun) + restMs
      if (step.deliveries && step.deliveries.rows.length > 0) this.#wakeRoad()
      this.#took(turn, task)
    } catch (error) {
      turn.at = this.#world.now() + firstWaitMs * 2 ** turn.failures
      // Others ask the judge of filters too much at once: that passes.
      if (error instanceof Problem && error.code === 'unavailable') return
      turn.failures += 1
      this.#observer.taskStumbled(turn.task, error)
      if (turn.failures < mostFailures) return
      await this.#advance(turn.task, failingStep(turn.task, this.#world.now(), 'broken'))
        .then((task) => this.#took(turn, task))
        .catch(() => {
          // The store takes nothing at all, so it is not the task's fault: tried again.
          turn.failures = 0
        })
    }
  }

  async #advance(task: Task, step: TaskStep): Promise<Task | null> {
    if (step.status === 'running') return this.#store.tasks.advance(step)
    const { status, progress } = step
    const told = await this.#teller.told(task.environmentId, [taskFinished({ ...task, status, progress })])
    const advanced = await this.#store.tasks.advance(step, told)
    if (told) this.#wakeRoad()
    return advanced
  }

  #took(turn: Turn, task: Task | null): void {
    if (task?.status === 'running') {
      turn.task = task
      return
    }
    this.#turns.delete(turn.task.id)
    if (task) this.#observer.taskEnded(task)
    // Another one that waits may have its place; or somebody changed this one.
    this.#readAt = this.#world.now()
  }

  #forget(): void {
    const again = (): void => {
      if (!this.#stopped) this.#forgetting = this.#world.after(forgetEveryMs, () => this.#forget())
    }
    const before = this.#world.now() - keptMs
    const all = async (): Promise<void> => {
      while (this.#goesOn && (await this.#store.tasks.forget(before, forgottenAtOnce)) === forgottenAtOnce);
    }
    // What cannot be removed now is in an hour.
    all().then(again, again)
  }
}
