/* A counter under a lock with a lease, and a fencing token: the workers of tests/test_spin.py add_leased (variant 0: no
   fence), add_fenced_on_write (1) and add_fenced (2). An `atomic` here is a `yield` there.

   A pause is a lease that runs out under a holder who is alive while somebody could go on. It costs nothing where the
   holder is dead or everybody waits. A worker that is refused (StaleToken) ends and starts again. */

#define WORKERS 2
#define ACQUIRE 0
#define READ 1
#define WRITE 2
#define RELEASE 3
#define DONE 4

byte variant, crashes, redeliveries, pauses;
byte x, seen;                  /* the row, and the newest token that it has seen */
byte tokens, held, owner;      /* held: the token under which the lock is held, 0 when it is free */
byte pc[WORKERS + 1];          /* workers are 1 and 2; 0 is nobody */

#define able(w) (pc[w] == READ || pc[w] == WRITE || pc[w] == RELEASE || (pc[w] == ACQUIRE && held == 0))
#define somebody (able(1) || able(2))

inline gone(w) { if :: owner == w -> owner = 0 :: else fi }

proctype worker(byte me) {
	byte token, value;
	do
	:: atomic { pc[me] == ACQUIRE && held == 0 -> tokens++; token = tokens; held = token; owner = me; pc[me] = READ }
	:: atomic { pc[me] == READ ->
		if
		:: variant == 2 && token < seen -> token = 0; gone(me); pc[me] = ACQUIRE
		:: else ->
			if :: variant == 2 -> seen = token :: else fi;
			value = x; pc[me] = WRITE
		fi }
	:: atomic { pc[me] == WRITE ->
		if
		:: variant > 0 && token < seen -> token = 0; value = 0; gone(me); pc[me] = ACQUIRE
		:: else ->
			if :: variant > 0 -> seen = token :: else fi;
			x = value + 1; value = 0; pc[me] = RELEASE
		fi }
	:: atomic { pc[me] == RELEASE ->
		if :: held == token -> held = 0; owner = 0 :: else fi;
		token = 0; gone(me); pc[me] = DONE }
	:: atomic { crashes > 0 && pc[me] != ACQUIRE && pc[me] != DONE ->
		crashes--; token = 0; value = 0; gone(me); pc[me] = ACQUIRE }
	:: atomic { redeliveries > 0 && pc[me] == DONE -> redeliveries--; pc[me] = ACQUIRE }
	od
}

proctype timer() {
	do
	:: atomic { held != 0 && (owner == 0 || !somebody) -> held = 0; owner = 0 }
	:: atomic { held != 0 && owner != 0 && somebody && pauses > 0 -> pauses--; held = 0; owner = 0 }
	od
}

init {
	atomic {
		c_code {
			now.variant = atoi(getenv("variant"));
			now.crashes = atoi(getenv("crashes"));
			now.redeliveries = atoi(getenv("redeliveries"));
			now.pauses = atoi(getenv("pauses"));
		};
		run worker(1);
		run worker(2);
		run timer()
	};
	atomic {
		pc[1] == DONE && pc[2] == DONE && held == 0;
		c_code { printf("final x=%d tokens=%d\n", now.x, now.tokens); };
		assert(x >= WORKERS)
	}
}
