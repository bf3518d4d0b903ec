/* One decision, two workers, a broker, and all that can go wrong between them. docs/model.md explains this to
 * readers who know neither Promela nor Orderlatch; the words are those of docs/protocol.md.
 *
 * An act is a transaction of the database, a deed of a worker, or an event of the world. Spin tries every
 * order of all acts that are possible, and checks the promises after each. Which act comes next, and how long
 * anything takes, is never decided here: only what must come before what.
 *
 * What the world may do is chosen for each run:
 *   FORGETS       the broker may take a second order under an id that it has seen
 *   FREEZES       a worker may stand still, for any time, between its last look at the clock and the bytes
 *   DAWDLES       what was sent in time may take effect after any time
 *   STALE_READS   the broker's reads may overlook an order for any time
 *   BLIND_READS   the same, even after faults have stopped
 *   PROMPT_READS  the broker's reads overlook nothing
 *   LIES_429      a 429 may follow an order that was created
 *   RECONCILES    the orders of the account are listed time and again
 *   CALMS         at some moment faults stop: only then can anything be promised to happen
 *   WALKS         no promises are checked, but ways to every kind of transaction are left: see walks.pml
 * BROKER_REMEMBERS_IDS is the setting of the account. BUG_... plants a bug that spin must find.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#define NOBODY 3
#define MAX_SUBMITS 3
#if defined(WALKS)
#define BROKER_REMEMBERS_IDS remembers
#elif !defined(BROKER_REMEMBERS_IDS)
#define BROKER_REMEMBERS_IDS true
#endif

mtype = {
  /* statuses of the decision; lapsed stands for withdrawn too: the same moves lead to both */
  approved, submitting, in_doubt, submitted, refused, lapsed,
  /* what answers mean, besides refused and in_doubt; unauthorized is not_sent here: the same follows */
  order_exists, not_sent, throttled, duplicate, absent, orders_listed,
  /* kinds of requests */
  submit_order, find_order, list_orders,
  /* how far a worker is with its call */
  idle, claimed, sending, frozen, answered,
  /* see showing */
  nothing, owed
};

/* The workers. Each carries one call at a time. */
mtype step[NOBODY + 1] = idle;
mtype kind[NOBODY + 1] = nothing;
mtype answer[NOBODY + 1] = nothing;
byte late[NOBODY + 1];    /* its lookup was granted: 1 after believe_after, 2 absence_spacing after a 404 */
bool own[NOBODY + 1];     /* the broker had an order when it refused */

/* The decision, in open_decisions: holder is holder_request_id, lookup is lookup_request_id. A request is
 * named by the worker that it was granted to. */
mtype status = approved;
bool clean = true;
bool lookup_first;        /* after a 429: nothing else before a lookup */
byte submits;
byte holder = NOBODY;
byte lookup = NOBODY;

/* Its row of doubts; page is the request of the list that it waits for. */
bool was_clean;
bool lost;
bool is_taken;            /* duplicate */
bool refusal;
bool lookup_due;          /* next_lookup_at */
byte page = NOBODY;
byte proof;               /* how far the proof of absence is: */
#define QUIET 0           /* before believe_after */
#define BELIEVED 1        /* after it: a 404 counts */
#define FIRST 2           /* first_absent_at */
#define SPACED 3          /* absence_spacing later */
#define SECOND 4          /* second_absent_at: the list is due */

/* The world. */
byte orders;              /* of the decision's id, at the broker */
byte on_wire;             /* submits that nobody waits for any more, and that may yet take effect */
byte adrift;              /* such submits, sent by workers that had been frozen */
mtype showing = nothing;  /* which reads must show the order: nothing, owed (that will turn out), or a kind */

/* What was said, for the promises that are asserted. */
bool reported;            /* an order was recorded */
bool told_taken;          /* a duplicate answer was believed */
bool told_own;            /* so was a refusal, which the broker gave when it had an order */
bool lost_one;            /* a submit was lost */

#define says_no (status == refused || status == lapsed)
#define settled (says_no || status == submitted)

#define one_order (orders <= 1)
#define submitted_is_true (status != submitted || orders > 0)
#define no_is_true (!says_no || orders == 0)
#define clean_no_is_true (!says_no || !clean || orders == 0)
#define answered_no_is_true (!says_no || lost_one || orders == 0)
#define order_is_not_forgotten (!reported || status == submitted)
#define taken_is_not_denied (!told_taken || !says_no)
#define own_refusal_is_not_believed (!told_own || status != refused)

#ifndef PROMISED
#define PROMISED true
#endif
#ifdef WALKS
#include "walks.pml"
#else
#define note_answer skip
#define act(possible, deed) d_step { possible -> deed; assert(PROMISED) }
#define transaction(possible, deed) act(possible, deed)
#endif

#ifdef CALMS
bool calm;
#define faults (!calm)
#define note(what_was_said) skip
#else
#define faults true
#define note(what_was_said) what_was_said
#endif

#include "world.pml"
#include "database.pml"
#include "worker.pml"

init {
  atomic {
#if WORKERS == 3
    run Worker(2);
#endif
    run Worker(1);
    run Worker(0);
    run Sweep();
    run Strategy();
    run Wire();
    run Time();
#ifdef RECONCILES
    run Reconciliation();
#endif
#ifdef WALKS
    run Operator();
#endif
#ifdef CALMS
    run Calm();
#endif
  }
}

#ifdef CALMS
proctype Calm() {
  calm = true;
  printf("faults stop\n")
}

ltl doubt_ends { [] (calm -> <> settled) }
ltl doubt_ends_unless_taken { [] (calm -> <> (settled || is_taken)) }
ltl order_is_noticed { [] ((calm && orders > 0) -> <> (status == submitted)) }
#endif
