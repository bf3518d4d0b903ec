-- Moves one open decision; the journal writes the event and legal_moves judges it.
-- Locks: none; the caller holds the decision. Raises: 23503 when the move is not in legal_moves.
create or replace function orderlatch_data.move_decision(
  p_decision_id bigint,
  p_to_status text,
  p_reason text,
  p_request_id uuid default null,
  p_evidence jsonb default null
)
returns void
language sql
volatile
parallel unsafe
security invoker
set search_path = pg_catalog, pg_temp
as $$
  update orderlatch_data.open_decisions as o
     set status = p_to_status,
         move_reason = p_reason,
         move_request_id = p_request_id,
         move_evidence = p_evidence
   where o.decision_id = p_decision_id
$$;
revoke all on function orderlatch_data.move_decision(bigint, text, text, uuid, jsonb) from public;
comment on function orderlatch_data.move_decision(bigint, text, text, uuid, jsonb) is
  'Moves an open decision to p_to_status. p_reason, p_request_id and p_evidence go into its event. '
  'The caller holds the decision''s lock. 23503 when there is no such edge.';
