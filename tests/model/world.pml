/* The world: what a broker, a wire and time may do. */

#ifdef FORGETS
#define takes_order (orders < 2)
#else
#define takes_order (orders == 0)
#endif

#if defined(PROMPT_READS)
#define overlooks(read) (orders == 0)
#elif defined(BLIND_READS)
#define overlooks(read) true
#else
#define overlooks(read) (orders == 0 || (faults && showing != read))
#endif

/* At the first 404 that counts: what exists now will be shown absence_spacing later, one way or the other. */
inline owe_order() {
#ifdef STALE_READS
  skip
#else
  showing = (orders > 0 -> owed : nothing)
#endif
}

/* The next believe_after is so far off that what is on its way now takes effect before, or never. */
inline land_in_time() {
  on_wire = on_wire + adrift;
  adrift = 0
}

#ifdef DAWDLES
#define wire_is_quiet true
#else
#define wire_is_quiet (on_wire == 0)
#endif

/* Only a frozen worker is in the middle of a call when its time is over. */
#define begins(w) (kind[w] == submit_order && step[w] == claimed)
#define nobody_begins (!begins(0) && !begins(1) && !begins(2))
#define nobody_sends (step[0] != sending && step[1] != sending && step[2] != sending)
#ifdef FREEZES
#define workers_are_quick (faults || (nobody_begins && nobody_sends))
#else
#define workers_are_quick ((faults || nobody_begins) && nobody_sends)
#endif

/* A call of a submit may not begin any more. Who is in the middle of one has been frozen. */
inline run_out_of_time(w) {
  if
#ifndef BUG_DEADLINE_UNCHECKED
  :: begins(w) -> step[w] = answered; answer[w] = not_sent
#endif
  :: step[w] == sending -> step[w] = frozen
  :: else -> skip
  fi
}

proctype Time() {
end:
  do
  :: act((status == submitting || status == in_doubt) && proof == QUIET && wire_is_quiet && workers_are_quick,
       proof = BELIEVED;
       run_out_of_time(0);
       run_out_of_time(1);
       run_out_of_time(2);
       printf("time: the call is over by now, and absence_quiet since\n"))
  :: act(proof == FIRST && showing == nothing,
       proof = SPACED;
       printf("time: absence_spacing is over\n"))
  :: act(proof == FIRST && showing == owed,
       proof = SPACED;
       showing = find_order;
       printf("time: absence_spacing is over, lookups show the order\n"))
  :: act(proof == FIRST && showing == owed,
       proof = SPACED;
       showing = list_orders;
       printf("time: absence_spacing is over, lists show the order\n"))
  od
}

/* What was sent and given up arrives, or it does not. */
proctype Wire() {
end:
  do
  :: act(on_wire > 0 && takes_order,
       on_wire--;
       orders++;
       printf("broker: a submit that was given up arrives; order %d\n", orders))
  :: act(on_wire > 0,
       on_wire--;
       printf("broker: a submit that was given up creates nothing\n"))
  :: act(adrift > 0 && takes_order,
       adrift--;
       orders++;
       printf("broker: a submit that was given up arrives; order %d\n", orders))
  :: act(adrift > 0,
       adrift--;
       printf("broker: a submit that was given up creates nothing\n"))
  od
}
