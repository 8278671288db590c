/** Users whose rows the data set holds; the load signs in as the first of them. */
export const benchUser = '00000000-0000-4000-8000-000000000001';

/** The owner of the other half, which row security hides. */
const otherUser = '00000000-0000-4000-8000-000000000002';

/** Rows of the big table. */
export const rowCount = 100_000;

/** Tables, row security and rows of the REST workloads; runs as `postgres` on a bootstrapped database. */
export const datasetSql = `
create table public.authors (
  id int primary key,
  name text not null,
  bio text not null
);
create table public.books (
  id int primary key,
  author_id int not null references public.authors (id),
  owner uuid not null,
  title text not null,
  price numeric(8, 2) not null,
  tags text[] not null,
  created_at timestamptz not null default now()
);
create index on public.books (author_id);
create index on public.books (owner);
create table public.reviews (
  id int primary key,
  book_id int not null references public.books (id),
  owner uuid not null,
  stars int not null,
  body text not null
);
create index on public.reviews (book_id);
create table public.events (
  id bigint generated always as identity primary key,
  owner uuid not null default auth.uid(),
  kind text not null,
  payload jsonb
);

insert into public.authors select i, 'author ' || i, repeat('b', 80) from generate_series(1, 1000) i;
insert into public.books
  select i, 1 + i % 1000, case when i % 2 = 0 then '${benchUser}'::uuid else '${otherUser}'::uuid end,
         'book ' || i, (i % 1000) / 10.0, array['a' || i % 7, 'b' || i % 11], '2026-01-01'::timestamptz + i * interval '1 s'
  from generate_series(1, ${rowCount}) i;
insert into public.reviews
  select i, 1 + i % ${rowCount}, '${benchUser}', 1 + i % 5, repeat('r', 60) from generate_series(1, ${rowCount}) i;

alter table public.authors enable row level security;
alter table public.books enable row level security;
alter table public.reviews enable row level security;
alter table public.events enable row level security;
create policy readable on public.authors for select to authenticated using (true);
create policy own on public.books to authenticated using (owner = (select auth.uid()));
create policy own on public.reviews to authenticated using (owner = (select auth.uid()));
create policy own on public.events to authenticated using (owner = (select auth.uid()));

create function public.price_of(book int) returns numeric language sql stable
  as 'select price from public.books where id = book';
`;

/** Fresh statistics make the planner's choices the same in every run. */
export const settleSql = 'vacuum analyze';
