/* A counter that two transactions add to: the workers of tests/test_spin.py add_read_committed (variant 0), add_for_update
   (1), and add_repeatable_read (2), which begins again when it could not be serialized. An `atomic` here is a `yield` there.

   A transaction that is killed is rolled back: its row is free, and what it wrote was never there. */

#define WORKERS 2
#define BEGIN 0
#define READ 1
#define WRITE 2
#define COMMIT 3
#define ROLLBACK 4
#define DONE 5

byte variant, crashes, redeliveries;
byte x, holder;                /* the committed row, and who has locked it; 0 is nobody */
bool snapshot[WORKERS + 1];    /* whether this transaction has taken one */
bool changed[WORKERS + 1];     /* whether the row was committed since */
byte pc[WORKERS + 1];          /* workers are 1 and 2 */

#define other (3 - me)
#define mine (holder == 0 || holder == me)

inline ended() {
	if :: holder == me -> holder = 0 :: else fi;
	snapshot[me] = false; changed[me] = false; value = 0
}

proctype worker(byte me) {
	byte value;
	do
	:: atomic { pc[me] == BEGIN -> pc[me] = READ }
	:: atomic { pc[me] == READ && (variant != 1 || mine) ->
		if :: variant == 1 -> holder = me :: else fi;
		snapshot[me] = (variant == 2); value = x; pc[me] = WRITE }
	:: atomic { pc[me] == WRITE && mine ->
		if
		:: changed[me] -> pc[me] = ROLLBACK
		:: else -> holder = me; pc[me] = COMMIT
		fi }
	:: atomic { pc[me] == COMMIT -> x = value + 1; changed[other] = snapshot[other]; ended(); pc[me] = DONE }
	:: atomic { pc[me] == ROLLBACK -> ended(); pc[me] = BEGIN }
	:: atomic { crashes > 0 && pc[me] != BEGIN && pc[me] != DONE -> crashes--; ended(); pc[me] = BEGIN }
	:: atomic { redeliveries > 0 && pc[me] == DONE -> redeliveries--; pc[me] = BEGIN }
	od
}

init {
	atomic {
		c_code {
			now.variant = atoi(getenv("variant"));
			now.crashes = atoi(getenv("crashes"));
			now.redeliveries = atoi(getenv("redeliveries"));
		};
		run worker(1);
		run worker(2)
	};
	atomic {
		pc[1] == DONE && pc[2] == DONE;
		c_code { printf("final x=%d\n", now.x); };
		assert(x >= WORKERS)
	}
}
