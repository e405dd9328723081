-- breaking
-- Times are integer milliseconds since 1970 UTC; lists and records are JSON text; flags are 0 or 1.

create table environment (
  id text primary key,
  name text not null unique,
  created_at integer not null
) without rowid;

create table api_key (
  id text primary key,
  environment_id text not null references environment (id),
  name text not null,
  hash text not null unique, -- SHA-256 of the key, hex; the key itself is nowhere
  scopes text not null,
  created_at integer not null,
  revoked_at integer
) without rowid;

create table application (
  id text primary key,
  environment_id text not null references environment (id),
  uid text,
  name text not null,
  throttle_rate integer,
  metadata text not null,
  created_at integer not null,
  updated_at integer not null,
  revision integer not null,
  deleted_at integer
) without rowid;
create unique index application_uid on application (environment_id, uid) where uid is not null and deleted_at is null;
create index application_page on application (environment_id, id) where deleted_at is null;

create table event_type (
  environment_id text not null references environment (id),
  name text not null,
  description text not null,
  archived integer not null,
  deprecated integer not null,
  schemas text,
  group_name text,
  feature_flags text,
  created_at integer not null,
  updated_at integer not null,
  revision integer not null,
  primary key (environment_id, name)
) without rowid;

create table endpoint (
  id text primary key,
  application_id text not null references application (id),
  uid text,
  url text not null,
  description text not null,
  event_types text,
  channels text,
  metadata text not null,
  throttle_rate integer,
  disabled_because text,
  failing_since integer,
  sealed_secrets text not null,
  sealed_headers text not null,
  created_at integer not null,
  updated_at integer not null,
  revision integer not null,
  deleted_at integer
) without rowid;
create unique index endpoint_uid on endpoint (application_id, uid) where uid is not null and deleted_at is null;
create index endpoint_page on endpoint (application_id, id) where deleted_at is null;
create index endpoint_deleted on endpoint (id) where deleted_at is not null;

-- The next three carry the traffic: no foreign keys (a check per row is not free, and every writer is ours).
-- A rowid table: rows with payloads go to the end of the file, and the two indexes stay small.
create table message (
  id text not null,
  application_id text not null,
  event_type text not null,
  event_id text,
  channels text,
  tags text,
  content_type text,
  payload text, -- UTF-8 as the caller spelled it; null once removed
  accepted_at integer not null
);
create unique index message_id on message (application_id, id);
create unique index message_event_id on message (application_id, event_id) where event_id is not null;

-- The queue: a row lives until its delivery is settled. A claimed delivery is one that is due later (the lease).
create table delivery (
  message_id text not null,
  endpoint_id text not null,
  attempts integer not null,
  due_at integer not null,
  lease text,
  trigger integer not null, -- 0 scheduled, 1 manual
  primary key (message_id, endpoint_id)
) without rowid;
create index delivery_due on delivery (endpoint_id, due_at);

create table attempt (
  id text not null,
  message_id text not null,
  endpoint_id text not null,
  succeeded integer not null,
  trigger integer not null,
  url text not null,
  status_code integer not null, -- 0: no answer
  duration_ms integer not null,
  response text not null,
  response_cut integer not null,
  started_at integer not null
);
create index attempt_message on attempt (message_id, id);
create index attempt_endpoint on attempt (endpoint_id, id);
