/** What was done to the fleet and when, for people who read why a seed failed. Times are `Date.now()`. */
export class Timeline {
  readonly #startedAt = Date.now()
  readonly #notes: { readonly at: number; readonly text: string }[] = []
  readonly #tell: (line: string) => void

  /** `tell` gets each line as it is noted. */
  constructor(tell: (line: string) => void = () => {}) {
    this.#tell = tell
  }

  note(text: string): void {
    const note = { at: Date.now(), text }
    this.#notes.push(note)
    this.#tell(this.#line(note))
  }

  get lines(): readonly string[] {
    return this.#notes.map((note) => this.#line(note))
  }

  #line({ at, text }: { readonly at: number; readonly text: string }): string {
    return `  ${((at - this.#startedAt) / 1_000).toFixed(2).padStart(7)} s  ${text}`
  }
}
