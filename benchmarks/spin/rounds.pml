/* WORKERS workers who each add one to a counter ROUNDS times: add_in_rounds (variant 0) and add_compared_in_rounds
   (variant 1) of benchmarks/explore_speed.py. An `atomic` here is a `yield` there. A crash is followed by a start from
   the first round; before its first step a worker has nothing to lose. */

byte variant, crashes;
byte x, finished;

proctype worker() {
	byte value, round;
	bool knows;
	do
	:: atomic { !knows && round < ROUNDS -> value = x; knows = true }
	:: atomic { knows && (variant == 0 || x == value) ->
		x = value + 1; value = 0; knows = false; round++;
		if :: round == ROUNDS -> finished++ :: else fi }
	:: atomic { knows && variant == 1 && x != value -> value = 0; knows = false }
	:: atomic { crashes > 0 && round < ROUNDS && (knows || round > 0) ->
		crashes--; value = 0; knows = false; round = 0 }
	od
}

init {
	byte started;
	atomic {
		c_code {
			now.variant = atoi(getenv("variant"));
			now.crashes = atoi(getenv("crashes"));
		};
		do
		:: started < WORKERS -> run worker(); started++
		:: else -> break
		od;
		started = 0
	};
	atomic {
		finished == WORKERS;
		assert(x >= WORKERS * ROUNDS)
	}
}
