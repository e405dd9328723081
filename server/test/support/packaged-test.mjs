// Loaded before a test that npm's `svix` packages as TypeScript: Node strips no types inside node_modules by itself, and
// the file asks for its neighbour "." where the package now has its built form.
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

registerHooks({
  resolve: (specifier, context, next) => next(specifier === '.' ? 'svix' : specifier, context),
  load: (url, context, next) =>
    url.endsWith('.test.ts')
      ? {
          format: 'module',
          source: stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8')),
          shortCircuit: true,
        }
      : next(url, context),
})
