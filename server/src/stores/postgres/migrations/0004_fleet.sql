-- compatible
-- Several nodes on one database. Times of these tables are by the database's clock, which is the same for all.
-- Rows that are written all the time have room for their changes in their page, and no index on what changes.

create table node (
  id text collate "C" primary key, -- of one life of a process
  name text collate "C" not null,
  version text collate "C" not null,
  started_at bigint not null,
  seen_at bigint not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Who does what only one of them may do.
create table leader (
  chore text collate "C" primary key,
  node_id text collate "C" not null,
  until bigint not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- What was changed of that which nodes keep in memory. The count is one row, held until the change is committed: so
-- numbers are seen in the order they were given, and none is seen late.
create table change_count (
  one bigint primary key check (one = 1),
  number bigint not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
insert into change_count (one, number) values (1, 0);

create table change (
  number bigint primary key,
  scope text collate "C" not null, -- what is to be read anew
  origin text collate "C" not null, -- who knows of it already
  at bigint not null
);
create index change_at on change (at);

-- Wakes whoever listens. Nothing depends on it: nodes ask every half second all the same.
create function posthorn_notify_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('posthorn_change', '');
  return null;
end $$;
create trigger change_notify after insert on change for each statement execute function posthorn_notify_change();

-- Counted up by every change of what messages are matched against: a publish says which count it was matched with.
alter table application add column routes bigint not null default 0;
alter table environment add column routes bigint not null default 0;

-- So that what is appended a second time is there once.
drop index attempt_message;
create unique index attempt_message on attempt (message_id, id);

-- What is not held back of each order: one, but for what was asked for by hand.
create index delivery_order_under_way on delivery (endpoint_id collate "POSIX", order_key collate "POSIX") where order_key is not null and held is null;
