/* For the comparison with the real database. Each act prints the state it leads to; and a transaction that is
 * the first of its kind is called an error, after which spin is told to go on. That leaves a shortest way to
 * each kind. */

bool remembers = true;

c_code {
  static unsigned seen[1 << 22];
  static unsigned before, said;

  /* What the database goes by; nothing of the world. */
  static unsigned kind_of_state(void) {
    return now.status + 32 * (now.clean + 2 * (now.lookup_first + 2 * (now.was_clean + 2 * (now.lost + 2 *
      (now.is_taken + 2 * (now.refusal + 2 * (now.lookup_due + 2 * now.proof)))))));
  }

  static int is_new(unsigned line) {
    unsigned kind = line * 7919u + said * 104729u + before * 65537u + kind_of_state() * 257u;
    return !seen[kind % (1 << 22)]++;
  }
}

inline print_state() {
  printf("state %e clean=%d lookup_first=%d submits=%d", status, clean, lookup_first, submits);
  printf(" holder=%d lookup=%d page=%d lookup_due=%d", holder, lookup, page, lookup_due);
  printf(" was_clean=%d lost=%d duplicate=%d", was_clean, lost, is_taken);
  printf(" refusal=%d proof=%d\n", refusal, proof)
}

#define act(possible, deed) d_step { possible -> deed; print_state() }
#define transaction(possible, deed) \
  d_step { \
    possible -> \
    c_code { before = kind_of_state(); said = 0; }; \
    deed; \
    print_state(); \
    c_code { if (!readtrail && is_new(__LINE__)) uerror("a transaction of a new kind"); } \
  }
#define note_answer c_code { said = now.answer[PWorker->w]; }

proctype Operator() {
end:
  do
  :: act(remembers && submits == 0 && status == approved,
       remembers = false;
       printf("operator: broker_remembers_ids is false\n"))
  od
}
