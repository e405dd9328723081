import type { Hardship } from './hardship.ts'
import { clockJumps } from './hardships/clock-jumps.ts'
import { endlessHeaders } from './hardships/endless-headers.ts'
import { fullDisk } from './hardships/full-disk.ts'
import { hangingDns } from './hardships/hanging-dns.ts'
import { hoarders } from './hardships/hoarders.ts'
import { hugeAnswers } from './hardships/huge-answers.ts'
import { killLoop } from './hardships/kill-loop.ts'
import { openSockets } from './hardships/open-sockets.ts'
import { readOnly } from './hardships/read-only.ts'
import { slowReceiver } from './hardships/slow-receiver.ts'
import { slowSenders } from './hardships/slow-senders.ts'

export const hardships: readonly Hardship[] = [
  ...[killLoop, fullDisk, readOnly, clockJumps, openSockets, slowSenders, hoarders],
  ...[slowReceiver, hugeAnswers, endlessHeaders, hangingDns],
]
