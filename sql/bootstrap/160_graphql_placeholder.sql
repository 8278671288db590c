-- Answers GraphQL requests where pg_graphql is not: the extension replaces this function.

do $$
begin
  if to_regproc('graphql_public.graphql') is null then
    create function graphql_public.graphql(
      "operationName" text default null,
      query text default null,
      variables jsonb default null,
      extensions jsonb default null
    ) returns jsonb
    language sql as $body$
      select jsonb_build_object(
        'errors', jsonb_build_array(jsonb_build_object('message', 'pg_graphql extension is not enabled.')))
    $body$;
    alter function graphql_public.graphql owner to supabase_admin;
  end if;
end
$$;

grant execute on function graphql_public.graphql to postgres, anon, authenticated, service_role;
