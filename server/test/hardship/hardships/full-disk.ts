import { setTimeout as pause } from 'node:timers/promises'
import { demand, type Hardship, withoutMounts } from '../hardship.ts'

export const fullDisk: Hardship = {
  name: 'full-disk',
  about: 'no byte is left on the disk of the database; then it is killed there, and there is room again',
  options: { diskMiB: 48 },
  impossible: withoutMounts,
  async goThrough(gateway) {
    const { answers } = gateway.load
    gateway.disk.fill()
    await gateway.until(
      () => (answers.get(503) ?? 0) > 20,
      30_000,
      () => `on a full disk publishes were answered ${told(answers)}`,
    )
    demand(gateway.disk.freeBytes < 1 << 20, () => 'the disk was not full')
    await gateway.roadIsClosed()
    gateway.disk.empty()
    await gateway.roadIsOpen()

    gateway.disk.fill()
    await pause(500)
    await gateway.kill()
    const started = await gateway.start().then(
      () => 'started on it',
      (error: unknown) => `said why it could not start on it (${String(error).slice(-90)})`,
    )
    gateway.disk.empty()
    if (!gateway.isAlive) await gateway.start()
    await gateway.roadIsOpen()
    return `publishes were answered 503; killed on the full disk, it ${started}`
  },
}

const told = (answers: ReadonlyMap<number, number>): string =>
  [...answers].map(([status, count]) => `${status} ×${count}`).join(', ')
