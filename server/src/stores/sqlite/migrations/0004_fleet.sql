-- compatible
-- Several nodes on one database. Times of these tables are by the database's clock, which is the same for all.

create table node (
  id text primary key, -- of one life of a process
  name text not null,
  version text not null,
  started_at integer not null,
  seen_at integer not null
) without rowid;

-- Who does what only one of them may do.
create table leader (
  chore text primary key,
  node_id text not null,
  until integer not null
) without rowid;

-- What was changed of that which nodes keep in memory. The count is one row, held until the change is committed: so
-- numbers are seen in the order they were given, and none is seen late.
create table change_count (
  one integer primary key check (one = 1),
  number integer not null
) without rowid;
insert into change_count (one, number) values (1, 0);

create table change (
  number integer primary key,
  scope text not null, -- what is to be read anew
  origin text not null, -- who knows of it already
  at integer not null
);
create index change_at on change (at);

-- Counted up by every change of what messages are matched against: a publish says which count it was matched with.
alter table application add column routes integer not null default 0;
alter table environment add column routes integer not null default 0;

-- So that what is appended a second time is there once.
drop index attempt_message;
create unique index attempt_message on attempt (message_id, id);

-- What is not held back of each order: one, but for what was asked for by hand.
create index delivery_order_under_way on delivery (endpoint_id, order_key) where order_key is not null and held is null;
