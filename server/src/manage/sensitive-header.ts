const telling = new Set([
  'apikey',
  'auth',
  'authentication',
  'authorization',
  'bearer',
  'cookie',
  'credential',
  'credentials',
  'key',
  'password',
  'secret',
  'session',
  'signature',
  'token',
])

/** Whether a header of this name usually carries a credential: its value is then kept and sent, but never shown. */
export const isSensitiveHeader = (name: string): boolean =>
  name
    .toLowerCase()
    .split(/[-_]/)
    .some((word) => telling.has(word))
