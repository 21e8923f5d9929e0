/* Two workers read a counter and write it back, one more. The workers add_one (variant 0) and add_one_compared
   (variant 1) of tests/test_spin.py: an `atomic` here is a `yield` there.

   The budgets come from the environment of the verifier, so that it is compiled once. A final state is printed where
   nothing more happens unless something goes wrong. */

#define WORKERS 2

byte variant, crashes, redeliveries;
byte x, finished;

proctype worker() {
	byte value;
begin:
	atomic { value = x }
	if
	:: atomic { variant == 0 -> x = value + 1; finished++ }
	:: atomic { variant == 1 && x == value -> x = value + 1; finished++ }
	:: atomic { variant == 1 && x != value -> value = 0; goto begin }
	:: atomic { crashes > 0 -> crashes--; value = 0; goto begin }
	fi;
	value = 0;
end:	atomic { redeliveries > 0 -> redeliveries--; finished--; goto begin }
}

init {
	atomic {
		c_code {
			now.variant = atoi(getenv("variant"));
			now.crashes = atoi(getenv("crashes"));
			now.redeliveries = atoi(getenv("redeliveries"));
		};
		run worker();
		run worker()
	};
	atomic {
		finished == WORKERS;
		c_code { printf("final x=%d\n", now.x); };
		assert(x >= WORKERS)
	}
}
