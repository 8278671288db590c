-- What the change stream asks on behalf of subscribers.

/*
 * Puts one question as one client after the other: clients that share a role and differ in their claims. A row per
 * client and in their order: the answer, or the SQLSTATE of what its policies raised; 57014 for one that was too slow,
 * which is always the last row. There are fewer rows than clients when the patience was at its end; the caller asks again.
 *
 * `arguments` holds what stands for $1 in the question, per client; null for a question without.
 *
 * Nothing is known of the settings that a policy's functions make, except that the next client must not find them. The
 * plan is made for this call: one that is kept would be that of a table which was small then.
 */
create or replace function ownbase.ask_as_each(
  as_role text, question text, claims text[], arguments text[], patience_ms integer
) returns table (answer text, failure text)
language plpgsql volatile as $$
declare
  ends_at timestamptz := clock_timestamp() + make_interval(secs => patience_ms / 1000.0);
begin
  perform set_config('role', as_role, true);
  execute 'prepare ownbase_question ' || case when arguments is null then '' else '(text) ' end || 'as ' || question;
  begin
    for client in 1 .. cardinality(claims) loop
      answer := null;
      failure := null;
      begin
        reset all;
        perform set_config('role', as_role, true), set_config('request.jwt.claims', claims[client], true),
          set_config('plan_cache_mode', 'force_generic_plan', true);
        if arguments is null then
          execute 'execute ownbase_question' into answer;
        else
          execute format('execute ownbase_question (%L)', arguments[client]) into answer;
        end if;
      exception when query_canceled or others then
        failure := sqlstate;
      end;
      return next;
      -- The limit of the statement has been spent, and holds for nobody after.
      exit when failure = '57014' or clock_timestamp() > ends_at;
    end loop;
  exception when query_canceled or others then
    -- Prepared statements outlive what is rolled back.
    deallocate ownbase_question;
    raise;
  end;
  deallocate ownbase_question;
end
$$;

alter function ownbase.ask_as_each owner to supabase_admin;
revoke all on function ownbase.ask_as_each from public;
grant execute on function ownbase.ask_as_each to authenticator;
