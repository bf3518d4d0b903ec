/* The database: what sql/50_requests and sql/60_answers do to a decision. Inlines are named like functions.
 *
 * Left out are back-offs, pauses and the pace of lookups: such a wait may take any time, none included. */

#if defined(BUG_CLAIM_TAKES_NOTHING)
#define submit_is_due ((status == approved || status == submitting) && !lookup_first)
#elif defined(BUG_NO_LOOKUP_AFTER_429)
#define submit_is_due (status == approved)
#else
#define submit_is_due (status == approved && !lookup_first)
#endif
/* The next lookup waits for its time, the list does not: so lookups do not starve it for ever. */
#define lookup_is_due ((status == in_doubt || lookup_first) && lookup_due && (faults || proof != SECOND))
#define page_is_due (status == in_doubt && proof == SECOND && page == NOBODY)

#ifdef BUG_NO_FENCE
#define holds(w) (status == submitting || (status == in_doubt && lost))
#else
#define holds(w) (holder == w && (status == submitting || (status == in_doubt && lost)))
#endif

#ifdef BUG_CLEAN_IGNORED
#define is_clean true
#else
#define is_clean ((status == submitting && clean) || (status == in_doubt && was_clean))
#endif

/* What a lookup was granted for counts only while it is the newest. */
inline forget_lookups() {
  late[0] = 0;
  late[1] = 0;
  late[2] = 0
}

/* believe_after is set anew; what was looked up before it counts no more. */
inline begin_proof() {
#ifdef BUG_NO_QUIET
  proof = BELIEVED;
#else
  proof = QUIET;
#endif
  page = NOBODY;
  showing = nothing;
  forget_lookups();
  land_in_time()
}

inline delete_doubt() {
  was_clean = false;
  lost = false;
  is_taken = false;
  refusal = false;
  lookup_due = false;
  page = NOBODY;
  proof = QUIET;
  showing = nothing;
  holder = NOBODY;
  lookup = NOBODY;
  forget_lookups()
}

inline grant_submit(w) {
  status = submitting;
  lookup = NOBODY;
  holder = w;
  submits = (submits < MAX_SUBMITS -> submits + 1 : submits);
  begin_proof()
}

inline grant_lookup(w) {
  forget_lookups();
  lookup = w;
  lookup_due = false;
  late[w] = (proof >= SPACED -> 2 : (proof >= BELIEVED -> 1 : 0))
}

inline enter_doubt(is_lost, says_taken, says_refused) {
  was_clean = clean;
  clean = false;
  lost = is_lost;
  is_taken = is_taken || says_taken;
  refusal = refusal || says_refused;
  lookup = NOBODY;
  lookup_due = true;
  page = NOBODY;
  status = in_doubt
}

inline lose_submit() {
  note(lost_one = true);
#ifdef BUG_LOST_IS_UNSENT
  return_unsent()
#else
  enter_doubt(true, false, false)
#endif
}

/* What has answered may have taken effect just now, so that the proof begins with the answer. */
inline doubt_submit(says_taken, says_refused) {
  if
  :: status == submitting ->
     enter_doubt(false, says_taken, says_refused);
#ifdef BUG_QUIET_SINCE_GRANT
     if
     :: proof == QUIET -> begin_proof()
     :: else -> skip
     fi
#else
     begin_proof()
#endif
  :: else ->
     lost = false;
     is_taken = is_taken || says_taken;
     refusal = refusal || says_refused;
     lookup_due = true;
#ifndef BUG_PROOF_GOES_ON
     begin_proof()
#endif
  fi
}

inline return_unsent() {
#ifdef BUG_CLEAN_AGAIN
  clean = true;
#else
  clean = is_clean;
#endif
  submits--;
  status = approved;
  delete_doubt()
}

inline return_throttled() {
#ifndef BUG_CLEAN_AFTER_429
  clean = false;
#endif
  lookup_first = true;
  status = approved;
  delete_doubt();
  lookup_due = true
}

inline refuse() {
  clean = true;
  status = refused;
  delete_doubt()
}

inline record_order() {
  note(reported = true);
  lookup_first = false;
  status = submitted;
  delete_doubt()
}

inline apply_submit(w, meaning) {
  if
#ifdef BUG_LATE_ORDER_DROPPED
  :: meaning == order_exists && !holds(w) -> note(reported = true); printf("(stale) ")
  :: meaning == order_exists && holds(w) -> record_order()
#else
  :: meaning == order_exists -> record_order()
#endif
  :: meaning != order_exists && !holds(w) -> printf("(stale) ")
  :: meaning == refused && holds(w) && is_clean ->
     note(told_own = told_own || own[w]);
     refuse()
  :: meaning == refused && holds(w) && !is_clean ->
     note(told_own = told_own || own[w]);
     doubt_submit(false, true)
  :: meaning == not_sent && holds(w) -> return_unsent()
  :: meaning == throttled && holds(w) -> return_throttled()
#ifdef BUG_TAKEN_IS_REFUSED
  :: meaning == duplicate && holds(w) -> note(told_taken = true); doubt_submit(false, true)
#else
  :: meaning == duplicate && holds(w) -> note(told_taken = true); doubt_submit(true, false)
#endif
#ifdef BUG_TIMEOUT_IS_FAILURE
  :: meaning == in_doubt && holds(w) -> return_unsent()
#else
  :: meaning == in_doubt && holds(w) -> doubt_submit(false, false)
#endif
  fi
}

inline count_absence(w) {
  if
  :: !is_taken && proof == BELIEVED && late[w] >= 1 ->
     owe_order();
#ifdef BUG_ONE_404
     proof = SECOND
#else
     proof = FIRST
#endif
  :: !is_taken && proof == SPACED && late[w] == 2 ->
#ifdef BUG_NO_LIST
     conclude_absence()
#else
     proof = SECOND
#endif
  :: else -> skip
  fi
}

inline schedule_lookup() {
  lookup = NOBODY;
  lookup_due = true
}

inline apply_lookup(w, meaning) {
  if
  :: meaning == order_exists -> record_order()
  :: meaning != order_exists && lookup != w -> printf("(stale) ")
  :: meaning == absent && lookup == w && lookup_first -> lookup_first = false; delete_doubt()
  :: meaning == absent && lookup == w && !lookup_first -> schedule_lookup(); count_absence(w)
#ifdef BUG_ERROR_IS_ABSENCE
  :: meaning == in_doubt && lookup == w -> schedule_lookup(); count_absence(w)
#else
  :: meaning == in_doubt && lookup == w -> schedule_lookup()
#endif
  fi
}

/* A wish, a halt and valid_until need no rule here: what becomes approved may lapse at once. */
inline conclude_absence() {
  if
  :: refusal -> status = refused
  :: !refusal && (submits == MAX_SUBMITS || (lost && !(BROKER_REMEMBERS_IDS))) -> status = lapsed
  :: else -> status = approved
  fi;
  delete_doubt()
}

inline apply_page(w, meaning) {
  if
  :: meaning == order_exists -> record_order()
  :: meaning != order_exists && page != w -> printf("(stale) ")
  :: meaning == orders_listed && page == w -> conclude_absence()
  :: meaning == in_doubt && page == w -> page = NOBODY
  fi
}

inline record_report(w) {
  printf("worker %d records %e: ", w + 1, answer[w]);
  if
  :: kind[w] == submit_order -> apply_submit(w, answer[w])
  :: kind[w] == find_order -> apply_lookup(w, answer[w])
  :: kind[w] == list_orders -> apply_page(w, answer[w])
  fi;
  printf("%e\n", status)
}

/* sweep_lost_requests. A session can end while its worker lives on: any request can be lost at any time. */
#define carries(w, what) (kind[w] == what && step[w] != idle)

proctype Sweep() {
end:
  do
#ifndef BUG_NEVER_SWEPT
  :: transaction(status == submitting && (faults || !carries(holder, submit_order)),
       printf("database: the submit of worker %d is lost: ", holder + 1);
       lose_submit();
       printf("%e\n", status))
#endif
  :: transaction(lookup != NOBODY && !lookup_due && (faults || !carries(lookup, find_order)),
       printf("database: the lookup of worker %d is lost\n", lookup + 1);
       lookup_due = true)
  :: transaction(page != NOBODY && (faults || !carries(page, list_orders)),
       printf("database: the list of worker %d is lost\n", page + 1);
       page = NOBODY)
  od
}

/* lapse_stale_decisions and withdraw_decision: at any time. */
#ifdef BUG_WITHDRAWN_IN_DOUBT
#define may_be_taken_back (submit_is_due || status == in_doubt)
#else
#define may_be_taken_back submit_is_due
#endif

proctype Strategy() {
end:
  do
  :: transaction(may_be_taken_back,
       status = lapsed;
       lookup_first = false;
       delete_doubt();
       printf("strategy: too late, or taken back: lapsed\n"))
  od
}

#ifdef RECONCILES
proctype Reconciliation() {
end:
  do
  :: transaction(orders > 0 && status != submitted,
       record_order();
       printf("reconciliation: finds the order: submitted\n"))
  od
}
#endif
