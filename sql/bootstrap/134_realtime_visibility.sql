-- What the change stream asks on behalf of subscribers.

/*
 * Puts one question as one client after the other: clients that share a role and differ in their claims. Yields a row for
 * each client that there is something to tell of, by its place among them: the answer, or the SQLSTATE of what its
 * policies raised; 57014 for one that was too slow. The last row has the place of the last client that was asked, and
 * nothing else. It is not the last of all when the patience was at its end, or spent by one: the caller asks again.
 *
 * `arguments` holds what stands for $1 in the question, per client; null for a question without.
 *
 * Nothing is known of the settings that a policy's functions make, except that the next client must not find them. The
 * plan is made for this call: one that is kept would be that of a table which was small then.
 */
drop function if exists ownbase.ask_as_each(text, text, text[], text[], integer);
create or replace function ownbase.ask_as_each(
  as_role text, question text, claims text[], arguments text[], patience_ms integer
) returns table (client integer, answer text, failure text)
language plpgsql volatile as $$
declare
  ends_at timestamptz := clock_timestamp() + make_interval(secs => patience_ms / 1000.0);
begin
  perform set_config('role', as_role, true);
  execute 'prepare ownbase_question ' || case when arguments is null then '' else '(text) ' end || 'as ' || question;
  begin
    for place in 1 .. cardinality(claims) loop
      client := place;
      answer := null;
      failure := null;
      begin
        reset all;
        perform set_config('role', as_role, true), set_config('request.jwt.claims', claims[place], true);
        if arguments is null then
          execute 'execute ownbase_question' into answer;
        else
          perform set_config('plan_cache_mode', 'force_generic_plan', true);
          execute format('execute ownbase_question (%L)', arguments[place]) into answer;
        end if;
      exception when query_canceled or others then
        failure := sqlstate;
      end;
      if answer is not null or failure is not null then
        return next;
      end if;
      -- The limit of the statement has been spent, and holds for nobody after.
      exit when failure = '57014' or clock_timestamp() > ends_at;
    end loop;
  exception when query_canceled or others then
    -- Prepared statements outlive what is rolled back.
    deallocate ownbase_question;
    raise;
  end;
  deallocate ownbase_question;
  answer := null;
  failure := null;
  return next;
end
$$;

alter function ownbase.ask_as_each owner to supabase_admin;
revoke all on function ownbase.ask_as_each from public;
grant execute on function ownbase.ask_as_each to authenticator;
