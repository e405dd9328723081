import type { Command } from './command.ts'

interface Listed {
  /** Told here so that the overview need not load the whole server (0.4 s on two busy cores). */
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** Every command, in the order of the overview. A command is loaded when it runs. */
export const commands: Readonly<Record<string, Listed>> = {
  serve: { summary: 'run the gateway', load: async () => (await import('./serve.ts')).serve },
  dev: {
    summary: 'run it for trying out: receivers on this machine allowed, a readable log, a curl line to paste',
    load: async () => (await import('./dev.ts')).dev,
  },
  demo: {
    summary: 'publish real events to a receiver that fails and dawdles, and count what arrives',
    load: async () => (await import('./demo.ts')).demo,
  },
  keys: { summary: 'create, list and revoke API keys', load: async () => (await import('./keys.ts')).keys },
  migrate: {
    summary: 'bring the schema of the database up to date, or show what that would do',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  move: {
    summary: 'copy everything from SQLite to PostgreSQL, or back, and compare',
    load: async () => (await import('./move.ts')).move,
  },
  config: {
    summary: 'show every setting: value, default, where it comes from, what it does',
    load: async () => (await import('./config.ts')).config,
  },
  sign: { summary: 'sign a body as a delivery is signed', load: async () => (await import('./sign.ts')).sign },
  verify: {
    summary: 'check a signed request, and say which check fails',
    load: async () => (await import('./verify.ts')).verify,
  },
  presets: {
    summary: 'the providers whose webhooks can be received, and what is checked of each',
    load: async () => (await import('./presets.ts')).presets,
  },
  trigger: {
    summary: 'send a request as a provider would, to a source or to a handler of your own',
    load: async () => (await import('./trigger.ts')).trigger,
  },
  help: { summary: 'this overview, or more about one command', load: async () => (await import('./help.ts')).help },
}
