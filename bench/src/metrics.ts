import { request } from 'undici'
import type { Histogram } from './histogram.ts'

/** One reading of a Prometheus text page. */
export interface Metrics {
  /** Sum of all series of this name whose labels hold these. 0 when the page knows the name but has no such series yet. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
  /** Of a histogram without labels of its own. Throws as `sum`. */
  histogram(name: string): Histogram
}

// Prometheus text format 0.0.4: name, optional {label="value",…}, value, optional timestamp.
const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/
const pair = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Reads the page. `sum` throws for a name the page does not have: a renamed metric must not look like nothing happened. */
function metricsOf(page: string): Metrics {
  const known = new Set<string>()
  const samples: { readonly name: string; readonly labels: ReadonlyMap<string, string>; readonly value: number }[] = []
  for (const line of page.split('\n')) {
    const declared = /^# TYPE (\S+) /.exec(line)?.[1]
    if (declared !== undefined) known.add(declared)
    const [, name, labels = '', value] = line.startsWith('#') ? [] : (sample.exec(line) ?? [])
    if (name === undefined) continue
    known.add(name)
    samples.push({
      name,
      labels: new Map([...labels.matchAll(pair)].map(([, key = '', text = '']) => [key, text])),
      value: Number(value),
    })
  }
  const mustKnow = (name: string) => {
    if (!known.has(name)) throw new Error(`/metrics has no ${name}`)
  }
  return {
    histogram(name) {
      mustKnow(name)
      return new Map(
        samples
          .filter((one) => one.name === `${name}_bucket`)
          // Number('+Inf') is none.
          .map(({ labels, value }) => [Number(labels.get('le')?.replace('+Inf', 'Infinity')), value]),
      )
    },
    sum(name, labels = {}) {
      mustKnow(name)
      return samples
        .filter(
          (one) => one.name === name && Object.entries(labels).every(([key, text]) => one.labels.get(key) === text),
        )
        .reduce((total, one) => total + one.value, 0)
    },
  }
}

export async function scrape(url: string): Promise<Metrics> {
  const answer = await request(url)
  const page = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`GET ${url}: ${answer.statusCode} ${page.slice(0, 200)}`)
  return metricsOf(page)
}
