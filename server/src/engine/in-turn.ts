/** Work of which each waits for something, done for each key in the order in which it was asked for. */
export class InTurn<Key> {
  /** Of each key that has work waiting: the last of it. */
  readonly #last = new Map<Key, Promise<void>>()

  /** Does it at once where nothing is to be waited for. `value` must not reject, `work` not throw. */
  when<Value>(key: Key, value: Value | Promise<Value>, work: (value: Value) => void): void {
    const before = this.#last.get(key)
    if (before === undefined && !(value instanceof Promise)) {
      work(value)
      return
    }
    const done = Promise.all([value, before]).then(([own]) => {
      work(own)
      if (this.#last.get(key) === done) this.#last.delete(key)
    })
    this.#last.set(key, done)
  }
}
