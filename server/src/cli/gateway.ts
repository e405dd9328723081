import { parseArgs } from 'node:util'
import {
  loadSettings,
  type Settings,
  type SettingTexts,
  settingFlags,
  settingOptions,
  settingVariables,
  unknownVariables,
} from '../config.ts'
import { nearest } from '../domain/nearest.ts'
import { type Running, start } from '../main.ts'
import { makeLog } from '../telemetry/log.ts'
import { realWorld } from '../world.ts'
import { exitCodes, type Io } from './command.ts'

/**
 * Runs a gateway until it is told to stop (SIGTERM, SIGINT): what `serve` and `dev` have in common. `defaults` stand
 * where neither a flag nor a variable says otherwise; `greet` is called once it listens.
 */
export async function runGateway(
  args: readonly string[],
  io: Io,
  defaults: SettingTexts,
  greet: (running: Running) => void | Promise<void>,
): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { ...settingOptions } })
  const settings = loadSettings({ env: io.env, flags: settingFlags(values), defaults })
  const log = makeLog({ format: settings.logFormat, level: settings.logLevel })
  for (const name of unknownVariables(io.env)) {
    log.warn(
      { name, meant: nearest(name, settingVariables) ?? undefined },
      'a variable that is no setting: it does nothing',
    )
  }
  let running: Running
  try {
    running = await start(settings, realWorld, log)
  } catch (error) {
    log.debug({ err: error }, 'start failed')
    io.stderr.write(`posthorn: cannot start: ${whyNot(error, settings)}\n`)
    return exitCodes.checkFailed
  }
  await greet(running)
  await new Promise<void>((resolve) => {
    const stop = (signal: string): void => {
      log.info({ signal }, 'stopping: finishing what is in flight')
      resolve()
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  })
  // Whoever asks twice means now; nothing is lost by it.
  process.once('SIGINT', () => process.exit(130))
  // With the listener closed and the database out of reach, nothing else would keep the process for as long as its stop waits.
  const staying = setInterval(() => {}, 60_000)
  await running.stop()
  clearInterval(staying)
  return exitCodes.done
}

function whyNot(error: unknown, { listen }: Settings): string {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'EADDRINUSE')
    return `${listen.host}:${listen.port} is in use. Choose another with --listen ${listen.host}:8072`
  if (code === 'EACCES') return `no permission to listen on port ${listen.port}. Choose one above 1023 with --listen`
  return error instanceof Error ? error.message : String(error)
}
