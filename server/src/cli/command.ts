// CLI: what people type. A command reads its words, asks the rest of the project, and says what came of it in text and
// in its exit code; it decides nothing about messages or deliveries.

/** What a command may touch of the process. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

export interface Command {
  /** One line. */
  readonly summary: string
  /** What `posthorn help <command>` prints below it: synopsis, options, examples. */
  readonly usage: string
  /** Resolves to an exit code; see `exitCodes`. */
  run(args: readonly string[], io: Io): Promise<number>
}

/** The exit codes scripts can rely on. 70 is `EX_SOFTWARE` of BSD's sysexits. */
export const exitCodes = { done: 0, checkFailed: 1, usage: 2, defect: 70 } as const

/** The command was typed wrongly: said in one line, without a stack, with exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
