import { parse, stringify } from 'node:querystring'
import type { UrlForm } from '../../domain/preset.ts'

/** The spellings of a URL that one form stands for, the likeliest first. */
export function urlsOf(form: UrlForm, url: string): readonly string[] {
  switch (form) {
    case 'exact':
      return [url]
    case 'with-port':
      return [url, normal(url)].map(withPort)
    case 'without-port':
      return [url, normal(url)].map(withoutPort)
    case 'percent-decoded':
      return [url.replace(decoded, (triplet) => decodeURIComponent(triplet))]
    case 'legacy-query':
      return [withoutPort(normal(url)), withPort(normal(url))].map(withLegacyQuery)
    case 'without-query':
      return [url.split('?', 1)[0] ?? url]
  }
}

// HubSpot decodes these before it signs, and no others: : / ? @ ! $ ' ( ) * , ;
// developers.hubspot.com, "Validating requests", v3.
const decoded = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi

function parted(url: string): { before: string; host: string; port: string; rest: string } | null {
  const match = /^([a-z][a-z\d+.-]*:\/\/(?:[^/?#]*@)?)(\[[^\]/?#]*\]|[^:/?#]*)(:\d*)?([/?#].*)?$/is.exec(url)
  if (!match) return null
  const [, before = '', host = '', port = '', rest = ''] = match
  return { before, host, port, rest }
}

function withPort(url: string): string {
  const parts = parted(url)
  if (parts?.port !== '') return url
  return `${parts.before}${parts.host}:${/^https:/i.test(url) ? 443 : 80}${parts.rest}`
}

function withoutPort(url: string): string {
  const parts = parted(url)
  return parts ? parts.before + parts.host + parts.rest : url
}

/** As URL parsers spell it: some characters escaped, the usual port left out. */
const normal = (url: string): string => URL.parse(url)?.href ?? url

/** As Node's `querystring` spells it, by which Twilio once signed: repeated names together, other escapes. Of
 * all its parameters: one that is left out here would not be signed, but be there. */
function withLegacyQuery(url: string): string {
  const at = url.indexOf('?')
  return at === -1 || at === url.length - 1
    ? url
    : `${url.slice(0, at + 1)}${stringify(parse(url.slice(at + 1), '&', '=', { maxKeys: 0 }))}`
}
