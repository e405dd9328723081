import { parseArgs } from 'node:util'
import { describeSettings, settingFlags, settingOptions, settingVariables, unknownVariables } from '../config.ts'
import { nearest } from '../domain/nearest.ts'
import { type Command, exitCodes } from './command.ts'

export const config: Command = {
  summary: 'shows every setting: value, default, where it comes from, what it does',
  usage: `Usage: posthorn config [--json] [settings as flags]

Options:
  --json   the same as JSON, for scripts

Secrets are shown as "set" or "not set". Exits 2 when a setting cannot be used, so it can check a deployment
before the start does:
  POSTHORN_MAX_BODY=2MiB posthorn config
  posthorn config --listen 0.0.0.0:80 --json`,
  async run(args, { env, stdout, stderr }) {
    const { values } = parseArgs({ args: [...args], options: { ...settingOptions, json: { type: 'boolean' } } })
    const lines = describeSettings({ env, flags: settingFlags(values) })
    if (values.json === true) {
      stdout.write(`${JSON.stringify(lines, null, 2)}\n`)
    } else {
      for (const line of lines) {
        const from = line.source === 'default' ? 'default' : `${line.source}; default: ${line.default}`
        const unset = line.source === 'default' && line.value !== line.default ? `, ${line.default}` : ''
        stdout.write(`${line.env} = ${line.value}  (${from}${unset})\n`)
        if (line.fault !== null) stdout.write(`  CANNOT BE USED: ${line.fault}. For example: ${line.example}\n`)
        stdout.write(`  ${line.doc}\n  Flag: --${line.flag}\n\n`)
      }
    }
    for (const name of unknownVariables(env)) {
      const meant = nearest(name, settingVariables)
      stderr.write(
        `posthorn: ${name} is not a setting and does nothing.${meant === null ? '' : ` Did you mean ${meant}?`}\n`,
      )
    }
    const faults = lines.filter(({ fault }) => fault !== null)
    if (faults.length > 0) stderr.write(`posthorn: cannot be used: ${faults.map(({ env: name }) => name).join(', ')}\n`)
    return faults.length > 0 ? exitCodes.usage : exitCodes.done
  },
}
