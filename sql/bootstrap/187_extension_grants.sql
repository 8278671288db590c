-- What extensions and their stand-ins made is the project owner's to use and to give.

select pg_temp.attempt(statement, 'grants in extensions')
from (values
  ('grant all on all tables in schema extensions to postgres with grant option'),
  ('grant all on all functions in schema extensions to postgres with grant option'),
  ('grant all on all sequences in schema extensions to postgres with grant option'),
  ('grant all on all tables in schema extensions to dashboard_user'),
  ('grant all on all functions in schema extensions to dashboard_user')
) as listed (statement);
