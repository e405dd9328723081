import { demand, type Hardship, withoutMounts } from '../hardship.ts'

export const readOnly: Hardship = {
  name: 'read-only',
  about: 'it is killed, and the disk can only be read when it is started again',
  options: { diskMiB: 256 },
  impossible: withoutMounts,
  async goThrough(gateway) {
    await gateway.roadIsOpen()
    await gateway.kill()
    gateway.disk.setReadOnly(true)
    const said = await gateway.start().then(
      () => null,
      (error: unknown) => String(error),
    )
    gateway.disk.setReadOnly(false)
    demand(said !== null, () => 'it started on a disk that it could not write to')
    demand(/read-?only/i.test(said), () => `it did not say that the disk is read-only: ${said}`)
    await gateway.start()
    await gateway.roadIsOpen()
    return 'it ended, saying that the database can only be read; then it started as if nothing had been'
  },
}
