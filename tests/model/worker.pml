/* The worker: claims one call, carries it to the broker, records the answer. It can die at any step. */

#define carries_submit (step[w] == sending || step[w] == frozen)

inline claim(what) {
  kind[w] = what;
  step[w] = claimed;
  printf("worker %d is granted %e\n", w + 1, what)
}

inline report(what) {
  answer[w] = what;
  step[w] = answered
}

inline forget() {
  step[w] = idle;
  kind[w] = nothing;
  answer[w] = nothing;
  late[w] = 0;
  own[w] = false
}

/* Gives a submit up whose bytes have left. */
inline leave_bytes() {
  if
  :: step[w] == frozen -> adrift++
  :: else -> on_wire++
  fi
}

proctype Worker(byte w) {
end:
  do
  /* claim_requests */
  :: transaction(step[w] == idle && submit_is_due,
       claim(submit_order);
       grant_submit(w))
  :: transaction(step[w] == idle && lookup_is_due,
       claim(find_order);
       grant_lookup(w))
  :: transaction(step[w] == idle && page_is_due,
       claim(list_orders);
       page = w)

  /* a submit, up to the first byte */
  :: act(step[w] == claimed && kind[w] == submit_order,
       step[w] = sending;
       printf("worker %d is in time, and begins to send\n", w + 1))
  :: act(step[w] == claimed && kind[w] == submit_order && faults,
       report(not_sent);
       printf("worker %d cannot send\n", w + 1))

  /* what becomes of it, in whatever order the broker checks */
  :: act(carries_submit && takes_order,
       orders++;
       report(order_exists);
       printf("broker: takes the submit of worker %d; order %d\n", w + 1, orders))
  :: act(carries_submit && takes_order && faults,
       orders++;
       report(in_doubt);
       printf("broker: takes the submit of worker %d; order %d; the answer is lost\n", w + 1, orders))
#ifdef LIES_429
  :: act(carries_submit && takes_order && faults,
       orders++;
       report(throttled);
       printf("broker: takes the submit of worker %d; order %d; and says 429\n", w + 1, orders))
#endif
  :: act(carries_submit && orders > 0,
       report(duplicate);
       printf("broker: tells worker %d that the id is taken\n", w + 1))
  :: act(carries_submit,
       report(refused);
       note(own[w] = orders > 0);
       printf("broker: refuses the submit of worker %d\n", w + 1))
  :: act(carries_submit && faults,
       report(not_sent);
       printf("broker: knows no such key of worker %d\n", w + 1))
  :: act(carries_submit && faults,
       report(throttled);
       printf("broker: tells worker %d to slow down\n", w + 1))
  :: act(carries_submit && faults,
       report(in_doubt);
       printf("broker: fails, or hears nothing of worker %d\n", w + 1))
  :: act(carries_submit && faults,
       leave_bytes();
       report(in_doubt);
       printf("worker %d has sent, and gives up\n", w + 1))

  /* reads */
  :: act(step[w] == claimed && kind[w] != submit_order && orders > 0,
       report(order_exists);
       printf("broker: shows worker %d the order\n", w + 1))
  :: act(step[w] == claimed && kind[w] == find_order && overlooks(find_order),
       report(absent);
       printf("broker: shows worker %d no order\n", w + 1))
  :: act(step[w] == claimed && kind[w] == list_orders && overlooks(list_orders),
       report(orders_listed);
       printf("broker: shows worker %d a list without the order\n", w + 1))
  :: act(step[w] == claimed && kind[w] != submit_order && faults,
       report(in_doubt);
       printf("broker: tells worker %d nothing of use\n", w + 1))

  /* record_responses, once or more often: the worker may not hear that it has succeeded */
  :: transaction(step[w] == answered,
       note_answer;
       record_report(w);
       forget())
  :: transaction(step[w] == answered && faults,
       note_answer;
       record_report(w))

  /* the end of a life; the next one begins at once */
  :: act(step[w] != idle && faults,
       forget();
       printf("worker %d dies\n", w + 1))
  :: act(carries_submit && faults,
       leave_bytes();
       forget();
       printf("worker %d has sent, and dies\n", w + 1))
  od
}
