// Read texts weigh some twenty times what they are long; this keeps them to a few tens of megabytes.
const mostCharacters = 2 << 20
const mostTexts = 5_000

/** What was made of texts, so that it is not made again for each message. Those not asked for longest are forgotten. */
export class Remembered<Made> {
  readonly #make: (text: string) => Made
  readonly #made = new Map<string, Made>()
  #characters = 0

  constructor(make: (text: string) => Made) {
    this.#make = make
  }

  get(text: string): Made {
    const known = this.#made.get(text)
    if (known !== undefined) {
      this.#made.delete(text)
      this.#made.set(text, known)
      return known
    }
    const made = this.#make(text)
    this.#made.set(text, made)
    this.#characters += text.length
    for (const oldest of this.#made.keys()) {
      if (this.#characters <= mostCharacters && this.#made.size <= mostTexts) break
      this.#made.delete(oldest)
      this.#characters -= oldest.length
    }
    return made
  }
}
