import type { Cluster } from './cluster.ts'
import type { FleetNode, Life } from './node.ts'
import type { SessionPorts } from './wire.ts'

/** What the database itself saw happen to a delivery, and over whose session. */
export interface Touch {
  readonly messageId: string
  readonly endpointId: string
  readonly what: 'insert' | 'update' | 'delete'
  /** The database's clock, as `Date.now()`: it is the same machine's. */
  readonly at: number
  readonly life: Life | null
  readonly before: Holding | null
  readonly after: Holding | null
}

/** Of a delivery: under which lease, and when it is due, which is when the lease ends. */
export interface Holding {
  readonly lease: string | null
  readonly dueAt: number
}

// A trigger of the test's own, in a table of the test's own: whoever settles what he does not hold is seen here, whatever
// he says about it himself. Sessions are told apart by the ports at both ends: each node has wires of its own.
const install = `
  create table fault_audit (
    number bigserial primary key,
    at bigint not null default (extract(epoch from clock_timestamp()) * 1000)::bigint,
    client_port integer default inet_client_port(),
    database_port integer default inet_server_port(),
    what text not null,
    message_id text not null,
    endpoint_id text not null,
    old_lease text,
    old_due_at bigint,
    new_lease text,
    new_due_at bigint
  );
  create function fault_audit() returns trigger language plpgsql as $$
  begin
    if tg_op = 'INSERT' then
      insert into fault_audit (what, message_id, endpoint_id, new_lease, new_due_at)
      values ('insert', new.message_id, new.endpoint_id, new.lease, new.due_at);
    elsif tg_op = 'UPDATE' then
      insert into fault_audit (what, message_id, endpoint_id, old_lease, old_due_at, new_lease, new_due_at)
      values ('update', new.message_id, new.endpoint_id, old.lease, old.due_at, new.lease, new.due_at);
    else
      insert into fault_audit (what, message_id, endpoint_id, old_lease, old_due_at)
      values ('delete', old.message_id, old.endpoint_id, old.lease, old.due_at);
    end if;
    return null;
  end $$;
  create trigger fault_audit after insert or update or delete on delivery for each row execute function fault_audit()`

interface TouchRow {
  readonly at: string
  readonly client_port: number | null
  readonly database_port: number | null
  readonly what: Touch['what']
  readonly message_id: string
  readonly endpoint_id: string
  readonly old_lease: string | null
  readonly old_due_at: string | null
  readonly new_lease: string | null
  readonly new_due_at: string | null
}

interface Session extends SessionPorts {
  readonly at: number
  readonly node: FleetNode
  readonly life: Life
}

/** Whose session of which database came from which port, and when it was opened: ports are used again. */
export class Sessions {
  readonly #opened = new Map<string, Session[]>()

  opened(node: FleetNode, ports: SessionPorts): void {
    const { life } = node
    if (life === null) return
    const session = { ...ports, at: Date.now(), node, life }
    const known = this.#opened.get(keyOf(ports))
    if (known) known.push(session)
    else this.#opened.set(keyOf(ports), [session])
  }

  lifeAt(ports: SessionPorts, at: number): Life | null {
    // A few milliseconds: the database may have noted the time before we noted the connection.
    return this.#opened.get(keyOf(ports))?.findLast((session) => session.at <= at + 5)?.life ?? null
  }

  /** From which ports a node has reached this database and nobody else since. */
  of(node: FleetNode, database: number): readonly number[] {
    return [...this.#opened.values()].flatMap((sessions) => {
      const last = sessions.at(-1)
      return last?.node === node && last.database === database ? [last.client] : []
    })
  }
}

const keyOf = ({ client, database }: SessionPorts): string => `${client} ${database}`

export async function installAudit(cluster: Cluster, database: string): Promise<void> {
  await cluster.ask(database, install)
}

/** In the order in which things happened to each delivery. */
export async function readAudit(cluster: Cluster, database: string, sessions: Sessions): Promise<readonly Touch[]> {
  const rows = await cluster.ask<TouchRow & { [column: string]: unknown }>(
    database,
    'select * from fault_audit order by number',
  )
  return rows.map((row) => {
    const at = Number(row.at)
    return {
      ...{ messageId: row.message_id, endpointId: row.endpoint_id, what: row.what, at },
      life:
        row.client_port === null || row.database_port === null
          ? null
          : sessions.lifeAt({ client: row.client_port, database: row.database_port }, at),
      before: row.old_due_at === null ? null : { lease: row.old_lease, dueAt: Number(row.old_due_at) },
      after: row.new_due_at === null ? null : { lease: row.new_lease, dueAt: Number(row.new_due_at) },
    }
  })
}
