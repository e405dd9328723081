import manifest from '../../package.json' with { type: 'json' }
import { nearest } from '../domain/nearest.ts'
import { type Command, exitCodes, UsageError } from './command.ts'
import { commands } from './commands.ts'

/** What `posthorn` says about itself. */
export function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const list = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return `posthorn ${manifest.version} — ${manifest.description}

Usage: posthorn <command> [options]

${list.join('\n')}

Examples:
  posthorn dev                                              try it out on this machine
  POSTHORN_DATABASE=sqlite:/var/lib/posthorn.db posthorn serve
  posthorn keys create --scope publish                      a key that can publish and nothing else
  posthorn verify --secret whsec_… --headers headers.txt body.json

Settings are flags or POSTHORN_… variables; flags win. posthorn config shows all of them.

Exit codes: 0 done; 1 a check failed (verify, trigger, presets test, demo, migrate status), the start did (serve,
dev), or the database cannot be used; 2 typed wrongly, or a setting that cannot be used; 70 a defect of Posthorn.

posthorn help <command> says more about one.
`
}

/** A command's own page. */
export const usageOf = (name: string, { summary, usage }: Pick<Command, 'summary' | 'usage'>): string =>
  `posthorn ${name}: ${summary}\n\n${usage.trim()}\n`

export const help: Command = {
  summary: 'this overview, or more about one command',
  usage: 'Usage: posthorn help [command]',
  async run([name, ...more], { stdout }) {
    if (more.length > 0) throw new UsageError('takes one command at most')
    if (name === undefined) {
      stdout.write(overview())
      return exitCodes.done
    }
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (command === undefined) {
      const meant = nearest(name, Object.keys(commands))
      throw new UsageError(
        `there is no command ${JSON.stringify(name)}${meant === null ? '' : `; did you mean ${meant}?`}`,
      )
    }
    stdout.write(usageOf(name, await command.load()))
    return exitCodes.done
  },
}
