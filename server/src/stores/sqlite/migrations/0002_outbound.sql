-- breaking
-- Everything about sending: control by level, ordering, schedules, tasks, portal tokens, idempotency, retention.

-- What a level says for itself; what it does not say is inherited (domain/control.ts).
alter table environment add column settings text not null default '{}';
alter table environment add column updated_at integer not null default 0;
alter table environment add column revision integer not null default 1;
update environment set updated_at = created_at;

alter table application add column control text not null default '{}';
-- 1: not a customer's but the environment's own, which operational webhooks are messages of.
alter table application add column operational integer not null default 0;
-- Payloads up to this message id have been wiped; retention goes on behind it.
alter table application add column wiped_to text not null default '';
create unique index application_operational on application (environment_id) where operational = 1;

alter table endpoint add column control text not null default '{}';
alter table endpoint add column filter text; -- CEL
alter table endpoint add column paused_at integer;
alter table endpoint add column breaker_opened_at integer; -- null: closed

alter table message add column ordering_key text;
alter table message add column deliver_at integer;
alter table message add column unsent text; -- endpoints it was not for, where nobody could tell later, as JSON
alter table message add column expires_at integer; -- not delivered by then: not delivered at all
alter table message add column payload_until integer; -- only where the publisher said so himself
create index message_payload_until on message (payload_until) where payload_until is not null;

-- An eventId is taken for a window, not for ever: its holder is here, and the message index only finds.
create table event_key (
  application_id text not null,
  event_id text not null,
  message_id text not null,
  until integer not null,
  primary key (application_id, event_id)
) without rowid;
create index event_key_until on event_key (until);
insert into event_key (application_id, event_id, message_id, until)
  select application_id, event_id, id, 253402300799999 from message where event_id is not null;
drop index message_event_id;
create index message_event_id on message (application_id, event_id, id) where event_id is not null;

-- Deliveries with the same order key reach their endpoint one after the other, by message id. Only the first of them
-- has a due time; those behind it are held.
alter table delivery add column order_key text;
alter table delivery add column held text; -- null: by due_at alone; 'behind' another; 'parked' until somebody resends it
create index delivery_order on delivery (endpoint_id, order_key, message_id) where order_key is not null;

alter table attempt add column ended text; -- null: it was sent; 'canceled' or 'expired' before it was

-- Which event types have been published, declared or not.
create table seen_event_type (
  environment_id text not null,
  name text not null,
  seen_at integer not null, -- for the first time
  primary key (environment_id, name)
) without rowid;

create table task (
  id text primary key,
  environment_id text not null references environment (id),
  application_id text,
  kind text not null,
  status text not null, -- running, finished, failed, canceled
  ask text not null, -- what was asked for, as JSON
  progress text not null, -- where it stands, as JSON: the counts people see and the cursor it goes on from
  rate integer not null, -- messages a second
  created_at integer not null,
  updated_at integer not null,
  revision integer not null
) without rowid;
create index task_page on task (environment_id, id);
create index task_running on task (id) where status = 'running';

-- What a task finds that is too much for its row, which is written at every step.
create table task_result (
  task_id text not null,
  place text not null, -- what it is about; results are in this order
  json text not null,
  primary key (task_id, place)
) without rowid;

-- Deleted ones too: statistics count what was sent to them.
create index endpoint_application on endpoint (application_id, id);

create table portal_token (
  hash text primary key, -- SHA-256 of the token, hex; the token itself is nowhere
  id text not null,
  environment_id text not null,
  application_id text not null,
  capabilities text not null,
  feature_flags text not null,
  session_id text,
  created_at integer not null,
  expires_at integer not null
) without rowid;
create index portal_token_application on portal_token (application_id, expires_at);
create index portal_token_session on portal_token (application_id, session_id, expires_at) where session_id is not null;
create index portal_token_expires on portal_token (expires_at);

-- Answers to POSTs that named an Idempotency-Key, for 12 h.
create table idempotency_key (
  id text primary key, -- SHA-256 of caller, method, path and key
  fingerprint text not null, -- SHA-256 of query and body
  message_id text, -- a publish: its answer is put together from this message
  status integer, -- of any other: the answer as it was given
  sealed_body text,
  started_at integer not null,
  until integer not null
) without rowid;
create index idempotency_key_until on idempotency_key (until);
