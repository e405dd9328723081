// More pieces than this are small ones, or the body is large and copying it is nothing beside sending it.
const mostPieces = 64
const smallPiece = 4 * 1024
const largestBlock = 64 * 1024

/**
 * A body as it comes, in memory of about its own size. Each piece of a stream costs some 350 bytes beside what is in it, and
 * its sender says how large pieces are: a megabyte in chunks of one byte took 350 MB.
 */
export class BodyBytes {
  #pieces: Buffer[] = []
  /** What small pieces are copied into, and how much of it is used. */
  #block: Buffer | null = null
  #used = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  add(piece: Buffer): void {
    this.#length += piece.length
    if (this.#pieces.length < mostPieces || piece.length >= smallPiece) {
      this.#closeBlock()
      this.#pieces.push(piece)
      return
    }
    if (this.#block === null || this.#used + piece.length > this.#block.length) {
      this.#closeBlock()
      this.#block = Buffer.allocUnsafeSlow(Math.min(largestBlock, Math.max(2 * smallPiece, this.#length)))
    }
    piece.copy(this.#block, this.#used)
    this.#used += piece.length
  }

  /** All of it in one. */
  whole(): Buffer {
    this.#closeBlock()
    const [first] = this.#pieces
    if (first !== undefined && this.#pieces.length === 1) return first
    const whole = Buffer.concat(this.#pieces, this.#length)
    this.#pieces = [whole]
    return whole
  }

  clear(): void {
    this.#pieces = []
    this.#block = null
    this.#used = 0
    this.#length = 0
  }

  #closeBlock(): void {
    if (this.#block !== null) this.#pieces.push(this.#block.subarray(0, this.#used))
    this.#block = null
    this.#used = 0
  }
}
