-- Reads each element of an array as the row of trade_decisions that it would be.
-- Locks: none. Raises: none; what is wrong with an element is returned.
create or replace function orderlatch_data.read_batch(
  p_account orderlatch_data.accounts,
  p_decisions jsonb,
  out decisions orderlatch_data.trade_decisions[],
  out signal_keys uuid[],
  out problems jsonb[]
)
returns record
language plpgsql
stable
parallel safe
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  v_problems constant jsonb := orderlatch_data.find_member_problems(p_decisions);
  v_now constant timestamptz := orderlatch_data.clock();
  v_login constant text := session_user::text;
  v_read record;
  v_decision orderlatch_data.trade_decisions;
  v_problem jsonb;
  v_speaks_for text;
begin
  decisions := '{}';
  signal_keys := '{}';
  problems := '{}';
  -- a loop of expressions, because a query would start an executor for each element
  for v_place in 1 .. jsonb_array_length(p_decisions) loop
    v_read := orderlatch_data.read_decision(
      p_account.account, p_decisions -> v_place - 1, p_account.account_id, v_problems -> v_place::text
    );
    v_decision := v_read.decisions[1];
    v_problem := null;
    if v_read.error_code is not null then
      v_problem := jsonb_build_object(
        'error_code', v_read.error_code, 'error_message', v_read.error_message,
        'error_detail', v_read.error_detail, 'error_hint', v_read.error_hint
      );
    elsif v_decision.strategy_id is distinct from v_speaks_for then
      if orderlatch_data.login_may_act(p_account.account_id, v_decision.strategy_id) then
        v_speaks_for := v_decision.strategy_id;
      else
        v_problem := jsonb_build_object('error_code', 'OL301', 'error_message', format(
          'login_not_bound: login %L may not act for strategy %L', session_user, v_decision.strategy_id
        ));
      end if;
    end if;
    problems := problems || v_problem;
    v_decision.recorded_at := v_now;
    v_decision.recorded_by := v_login;
    decisions := decisions || v_decision;
    signal_keys := signal_keys || orderlatch_data.signal_key(
      p_account.account_id, v_decision.strategy_id, v_decision.symbol, v_decision.timeframe,
      v_decision.event_ts, v_decision.leg
    );
  end loop;
end
$$;
revoke all on function orderlatch_data.read_batch(orderlatch_data.accounts, jsonb) from public;
comment on function orderlatch_data.read_batch(orderlatch_data.accounts, jsonb) is
  'By place: the decision, without its decision_id; the key of its signal; and what is wrong with it, an '
  'object with error_code (SQLSTATE), error_message, error_detail and error_hint, or null. A strategy that '
  'the login does not speak for is wrong too. Of an element with another problem nothing else is to be used.';
