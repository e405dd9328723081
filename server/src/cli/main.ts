// The entry: finds the command, gives it its words, and turns what it throws into an exit code that means something.
import manifest from '../../package.json' with { type: 'json' }
import { SettingsError } from '../config.ts'
import { nearest } from '../domain/nearest.ts'
import { exitCodes, type Io, UsageError } from './command.ts'
import { commands } from './commands.ts'
import { overview, usageOf } from './help.ts'

async function main(words: readonly string[], io: Io): Promise<number> {
  const [name, ...args] = words
  if (name === undefined) {
    io.stderr.write(overview())
    return exitCodes.usage
  }
  if (name === '--help' || name === '-h') {
    io.stdout.write(overview())
    return exitCodes.done
  }
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${manifest.version}\n`)
    return exitCodes.done
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    const meant = nearest(name, Object.keys(commands))
    const hint = meant === null ? 'See posthorn help.' : `Did you mean posthorn ${meant}?`
    io.stderr.write(`posthorn: there is no command ${JSON.stringify(name)}. ${hint}\n`)
    return exitCodes.usage
  }
  try {
    const loaded = await command.load()
    if (asksForHelp(args)) {
      io.stdout.write(usageOf(name, loaded))
      return exitCodes.done
    }
    return await loaded.run(args, io)
  } catch (error) {
    if (error instanceof SettingsError) {
      io.stderr.write(`posthorn: ${error.message}\nposthorn config shows all of them.\n`)
      return exitCodes.usage
    }
    const mistyped = mistakeIn(error)
    if (mistyped === null) throw error
    io.stderr.write(`posthorn ${name}: ${mistyped}\nSee posthorn help ${name}.\n`)
    return exitCodes.usage
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const options = end === -1 ? args : args.slice(0, end)
  return options.includes('--help') || options.includes('-h')
}

/** What was typed wrongly, in words; null for anything else. */
function mistakeIn(error: unknown): string | null {
  if (error instanceof UsageError) return error.message
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return error instanceof Error && code.startsWith('ERR_PARSE_ARGS_') ? error.message : null
}

// Whoever reads us may stop reading, as in `posthorn config | head`. That is no defect, and it changes no exit code: a
// failed check must not end in 0 because nobody listened.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const io: Io = { env: process.env, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr }
const code = await main(process.argv.slice(2), io).catch((error: unknown) => {
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
  io.stderr.write(`posthorn: something went wrong that is not your doing, exit code ${exitCodes.defect}.\n${told}\n`)
  return exitCodes.defect
})
// Exit, not only exitCode: a connection somebody forgot must not keep a finished command alive. First the text has to be out.
process.stdout.write('', () => process.exit(code))
