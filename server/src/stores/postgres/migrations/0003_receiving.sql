-- breaking
-- Receiving: sources, what they keep of a request, and what they refuse.

-- customer: a customer of the operator. operational: the environment's own, which operational webhooks are messages of.
-- source: what a source's requests become messages of; it has the id of the source.
alter table application add column kind text collate "C" not null default 'customer';
update application set kind = 'operational' where operational = 1;
drop index application_operational;
alter table application drop column operational;
create unique index application_operational on application (environment_id) where kind = 'operational';

alter table application add column paused_at bigint; -- null: its deliveries are made

create table source (
  id text collate "C" primary key, -- of its application too, which has its name, metadata and control
  environment_id text collate "C" not null references environment (id),
  uid text collate "C",
  type text collate "C" not null, -- the name of a preset, or 'custom'
  settings text collate "C" not null, -- JSON: everything that its owner says, but secrets
  sealed_secrets text collate "C" not null,
  sealed_token text collate "C" not null,
  created_at bigint not null,
  updated_at bigint not null,
  revision bigint not null,
  deleted_at bigint
);
create unique index source_uid on source (environment_id, uid) where uid is not null and deleted_at is null;
create index source_page on source (environment_id, id) where deleted_at is null;

create table source_token (
  hash text collate "C" primary key, -- SHA-256 of the token, hex
  source_id text collate "C" not null,
  until bigint -- null: the current one
);
create index source_token_source on source_token (source_id);
create index source_token_until on source_token (until) where until is not null;

create table handshake (
  source_id text collate "C" not null,
  name text collate "C" not null,
  succeeded_at bigint,
  failed_at bigint,
  failure text collate "C",
  successes bigint not null,
  failures bigint not null,
  primary key (source_id, name)
);

create table source_secret_use (
  source_id text collate "C" not null,
  secret_id text collate "C" not null,
  used_at bigint not null,
  primary key (source_id, secret_id)
);

create table quarantine (
  id text collate "C" not null,
  source_id text collate "C" not null,
  request text collate "C" not null,
  payload text collate "C" not null,
  encoding text collate "C",
  bytes bigint not null,
  acknowledged bigint not null -- 1: its sender was told that it is stored, so that no cap may take it
);
create index quarantine_id on quarantine (source_id, id, bytes); -- with the size: to sum it up, no large row is read
create index quarantine_capped on quarantine (source_id, id, bytes) where acknowledged = 0;
create index quarantine_age on quarantine (id);

-- null: it is JSON. 'text': UTF-8 that is not. 'base64': bytes that are no UTF-8.
alter table message add column encoding text collate "C";
alter table message add column request text collate "C"; -- of a source: the request but its body, and what its check came to, as JSON
alter table message add column duplicates bigint not null default 0; -- requests that repeated it
alter table message add column duplicate text collate "C"; -- the latest of them, as JSON
