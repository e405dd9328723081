import { parentPort, workerData } from 'node:worker_threads'
import { parse, YAMLParseError } from 'yaml'

export type YamlReply = { readonly json: string } | { readonly fault: string }

// Aliases stand for copies: with a few of them a page of text becomes gigabytes.
const mostAliases = 100
const mostCharacters = 16 * 1024 * 1024

function read(text: string): YamlReply {
  try {
    // The core schema knows what JSON knows; keys are not compared with each other, which takes a minute for 100,000.
    const json =
      JSON.stringify(parse(text, { schema: 'core', maxAliasCount: mostAliases, uniqueKeys: false })) ?? 'null'
    return json.length > mostCharacters ? { fault: 'is too large' } : { json }
  } catch (error) {
    if (error instanceof YAMLParseError) return { fault: `is not YAML: ${error.message.split('\n', 1)[0]}` }
    return { fault: `cannot be read: ${error instanceof Error ? error.message : 'unreadable'}` }
  }
}

parentPort?.postMessage(read(workerData as string))
