-- What can be typed at the prompt of `make psql`.
create or replace view orderlatch.terse_help as
  select h.command, h.shows, h.reads
    from (
      values
        (1, ':live_board', 'the whole system in one screen; then \watch 1', 'terse_live_board'),
        (2, ':in_flight', 'calls on their way', 'terse_in_flight'),
        (3, ':in_doubt', 'orders that may or may not exist', 'terse_in_doubt'),
        (4, ':waiting', 'decisions that wait, and for what', 'terse_waiting'),
        (5, ':stuck', 'what stands still and should not', 'terse_stuck'),
        (6, ':halts', 'what stops new orders now', 'terse_halts'),
        (7, ':incidents', 'what must not happen and did', 'terse_incidents'),
        (8, ':today', 'decisions of the last 24 hours', 'terse_today'),
        (9, ':timeline', 'moves, acts and incidents of late', 'terse_timeline'),
        (10, ':wire', 'calls to the broker of late', 'terse_wire'),
        (11, ':fills', 'trades of late', 'terse_fills'),
        (12, ':positions', 'what each account holds, and the broker says', 'terse_positions'),
        (13, ':foreign', 'orders that no decision asked for', 'terse_foreign'),
        (14, ':budgets', 'what may still be called in this minute', 'terse_budgets'),
        (15, ':reconciliation', 'how far each account has been read', 'terse_reconciliation'),
        (16, ':workers', 'who carries the calls', 'terse_workers'),
        (17, ':limits', 'the limits in force', 'terse_limits'),
        (18, ':acts', 'what operators did', 'terse_acts'),
        (19, ':invariants', 'every promise, and how often it is broken', 'terse_invariants'),
        (20, ':story', 'the life of a decision; before it \set hash 3f46d1', 'explain_decision'),
        (21, ':verify', 'every hash recomputed; long where much is recorded', 'verify_all'),
        (22, ':head', 'digest of all that is recorded, to be kept elsewhere', 'audit_head'),
        (23, ':help', 'this list', 'terse_help')
    ) as h(place, command, shows, reads)
   order by h.place;
revoke all on orderlatch.terse_help from public;
grant select on orderlatch.terse_help to orderlatch_operator, orderlatch_auditor;
comment on view orderlatch.terse_help is
  'The commands of the audit kit, and the view or function of orderlatch that each reads.';
