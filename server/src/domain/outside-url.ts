/** Where something may be fetched from whose URL came with a request. */
export interface Outside {
  /** Host names. A leading `*.` stands for one or more labels, `<region>` for the name of an AWS region. */
  readonly hosts: readonly string[]
  /** What the path ends with, as the server will read it. */
  readonly pathEnds?: string | undefined
}

export type OutsideVerdict = { readonly ok: true } | { readonly ok: false; readonly detail: string }

const longest = 2048 // characters

// Letters, digits and dashes in at least two labels: no credentials, no brackets, no escapes, no final dot.
const pattern = /^https:\/\/([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+)(:\d*)?(?=[/?]|$)/i

// Not "letters, digits and dashes", as AWS's own validators have it: `sns.s3-us-west-2.amazonaws.com` is anybody's bucket.
const region = /^[a-z]{2,5}(?:-[a-z]+)+-\d{1,2}$/

/**
 * Whether a URL that a stranger sent may be fetched. It is judged as it is spelled, before any parser forgives something:
 * https, a plain host name that is one of the expected, no port but 443. Where the name points is the guard's business.
 */
export function checkOutsideUrl(url: string, outside: Outside): OutsideVerdict {
  if (url.length > longest) return no(`it is ${url.length} characters long, ${longest} are the most`)
  if (!/^[!-~]*$/.test(url)) return no('it contains white space or a character outside of ASCII')
  if (/[\\#]/.test(url)) return no('it contains a backslash or a fragment')
  if (!/^https:\/\//i.test(url)) return no('it does not begin with https://')
  const [, spelled, port] = pattern.exec(url) ?? []
  if (spelled === undefined) return no('its host is not a plain name')
  if (port !== undefined && port !== ':443') return no('it names a port other than 443')
  const host = spelled.toLowerCase()
  const parsed = URL.parse(url)
  if (parsed === null || parsed.hostname !== host) return no('its host is not a plain name')
  if (!outside.hosts.some((one) => hostMatches(one, host))) {
    return no(`${host} is not ${outside.hosts.length === 0 ? 'an expected host' : outside.hosts.join(' or ')}`)
  }
  const { pathEnds } = outside
  if (pathEnds !== undefined && !parsed.pathname.endsWith(pathEnds)) return no(`its path does not end with ${pathEnds}`)
  // The file itself: a query could ask the same host for an answer of one's own making.
  if (pathEnds !== undefined && url.includes('?')) return no('it has a query')
  return { ok: true }
}

/** Whether a host name, lower case, is one that a pattern of `Outside` stands for. */
export function hostMatches(pattern: string, host: string): boolean {
  const wanted = pattern.toLowerCase().split('.')
  const labels = host.split('.')
  if (wanted[0] === '*') {
    if (labels.length < wanted.length) return false
    wanted.shift()
    labels.splice(0, labels.length - wanted.length)
  }
  return (
    labels.length === wanted.length &&
    labels.every((label, at) => (wanted[at] === '<region>' ? region.test(label) : wanted[at] === label))
  )
}

/** What is wrong with a host pattern that somebody has written; null: nothing. */
export function hostPatternFault(pattern: string): string | null {
  const labels = pattern.toLowerCase().split('.')
  if (labels[0] === '*') labels.shift()
  if (pattern.length > 253 || !labels.every((label) => label === '<region>' || /^[a-z0-9-]{1,63}$/.test(label))) {
    return 'it is not a host name such as sns.<region>.amazonaws.com or *.example.com'
  }
  if (labels.length < 2) return 'it leaves too much open: at least two labels must be named'
  if (!/[a-z]/.test(labels.at(-1) ?? '') || labels.at(-1)?.startsWith('0x')) return 'it is an address, not a name'
  if (labels.slice(-2).includes('<region>')) return 'it leaves too much open: its last two labels must be named'
  return null
}

const no = (detail: string): OutsideVerdict => ({ ok: false, detail })
