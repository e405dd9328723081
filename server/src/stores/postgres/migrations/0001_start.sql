-- breaking
-- The twin of SQLite's step of this number: the same tables and columns, whatever it takes here to be fast.
-- Times are integer milliseconds since 1970 UTC; lists and records are JSON text; flags are 0 or 1. Texts are compared
-- byte by byte, as ids sort, whatever the database's own order is.

create table environment (
  id text collate "C" primary key,
  name text collate "C" not null unique,
  created_at bigint not null
);

create table api_key (
  id text collate "C" primary key,
  environment_id text collate "C" not null references environment (id),
  name text collate "C" not null,
  hash text collate "C" not null unique, -- SHA-256 of the key, hex; the key itself is nowhere
  scopes text collate "C" not null,
  created_at bigint not null,
  revoked_at bigint
);

create table application (
  id text collate "C" primary key,
  environment_id text collate "C" not null references environment (id),
  uid text collate "C",
  name text collate "C" not null,
  throttle_rate bigint,
  metadata text collate "C" not null,
  created_at bigint not null,
  updated_at bigint not null,
  revision bigint not null,
  deleted_at bigint
);
create unique index application_uid on application (environment_id, uid) where uid is not null and deleted_at is null;
create index application_page on application (environment_id, id) where deleted_at is null;

create table event_type (
  environment_id text collate "C" not null references environment (id),
  name text collate "C" not null,
  description text collate "C" not null,
  archived bigint not null,
  deprecated bigint not null,
  schemas text collate "C",
  group_name text collate "C",
  feature_flags text collate "C",
  created_at bigint not null,
  updated_at bigint not null,
  revision bigint not null,
  primary key (environment_id, name)
);

create table endpoint (
  id text collate "C" primary key,
  application_id text collate "C" not null references application (id),
  uid text collate "C",
  url text collate "C" not null,
  description text collate "C" not null,
  event_types text collate "C",
  channels text collate "C",
  metadata text collate "C" not null,
  throttle_rate bigint,
  disabled_because text collate "C",
  failing_since bigint,
  sealed_secrets text collate "C" not null,
  sealed_headers text collate "C" not null,
  created_at bigint not null,
  updated_at bigint not null,
  revision bigint not null,
  deleted_at bigint
);
create unique index endpoint_uid on endpoint (application_id, uid) where uid is not null and deleted_at is null;
create index endpoint_page on endpoint (application_id, id) where deleted_at is null;
create index endpoint_deleted on endpoint (id) where deleted_at is not null;

-- The next three carry the traffic: no foreign keys (a check per row is not free, and every writer is ours).
-- Messages by day, as their ids are in the order of time; attempts stand with the day of their message. What is past
-- its retention is dropped as a whole (partitions.ts makes the days).
create table message (
  id text collate "C" not null,
  application_id text collate "C" not null,
  event_type text collate "C" not null,
  event_id text collate "C",
  channels text collate "C",
  tags text collate "C",
  content_type text collate "C",
  payload text collate "C", -- UTF-8 as the caller spelled it; null once removed
  accepted_at bigint not null
) partition by range (id);
create unique index message_id on message (application_id, id);
-- Not unique, as it is in SQLite until step 2: that would need the id, which partitions go by.
create index message_event_id on message (application_id, event_id) where event_id is not null;

-- The queue: a row lives until its delivery is settled. A claimed delivery is one that is due later (the lease).
create table delivery (
  message_id text collate "C" not null,
  endpoint_id text collate "C" not null,
  attempts bigint not null,
  due_at bigint not null,
  lease text collate "C",
  trigger bigint not null, -- 0 scheduled, 1 manual
  primary key (message_id, endpoint_id)
)
-- A row lives for milliseconds, or for days: room for its changes in its page, and vacuumed by number, not by share.
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000);
-- "POSIX" is "C" by another name. An index serves only who asks by its own name, so that nobody who looks for one delivery
-- is led through all that waits for an endpoint: in a table that was just drained both look equally good to the planner.
create index delivery_due on delivery (endpoint_id collate "POSIX", due_at, message_id collate "POSIX");

create table attempt (
  id text collate "C" not null,
  message_id text collate "C" not null,
  endpoint_id text collate "C" not null,
  succeeded bigint not null,
  trigger bigint not null,
  url text collate "C" not null,
  status_code bigint not null, -- 0: no answer
  duration_ms bigint not null,
  response text collate "C" not null,
  response_cut bigint not null,
  started_at bigint not null
) partition by range (message_id);
create index attempt_message on attempt (message_id, id);
-- A list of an endpoint's attempts asks for it; who looks for one attempt finds it with its message.
create index attempt_endpoint on attempt (endpoint_id, id collate "POSIX");
