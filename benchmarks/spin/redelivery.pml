/* A queue of one message, delivered at least once, and two consumers that charge: the workers of tests/test_spin.py
   charge (variant 0) and charge_once (variant 1: the message's id is an idempotency key). An `atomic` here is a `yield`
   there. `most` is the queue's max_receives, 0 for none.

   A delivery is known by its number, which is its receipt: only the newest counts. It comes back when its visibility
   timeout runs out, which is free where its consumer is dead or everybody waits, and a pause otherwise. A redelivery
   hands a message out once more that is in flight or acknowledged. */

#define RECEIVE 0
#define CHARGE 1
#define ACK 2

byte variant, crashes, redeliveries, pauses, most;
bool ready = true, flight, acked, dead;
byte deliveries, owner, charges;
byte pc[3];                    /* workers are 1 and 2; 0 is nobody */

#define able(w) (pc[w] != RECEIVE || ready)
#define somebody (able(1) || able(2))

inline gone(w) { if :: owner == w -> owner = 0 :: else fi }

inline deliver(w) { deliveries++; receipt = deliveries; flight = true; owner = w; pc[w] = CHARGE }

inline expire() {
	flight = false;
	owner = 0;
	if :: most > 0 && deliveries >= most -> dead = true :: else -> ready = true fi
}

proctype worker(byte me) {
	byte receipt;
	do
	:: atomic { pc[me] == RECEIVE && ready -> ready = false; deliver(me) }
	:: atomic { pc[me] == RECEIVE && redeliveries > 0 && (flight || acked) && !ready && !dead ->
		redeliveries--; deliver(me) }
	:: atomic { pc[me] == CHARGE ->
		if :: variant == 1 && charges > 0 -> skip :: else -> charges++ fi;
		assert(charges <= 1);
		pc[me] = ACK }
	:: atomic { pc[me] == ACK ->
		if
		:: receipt == deliveries && (flight || ready) -> flight = false; ready = false; owner = 0; acked = true
		:: else
		fi;
		receipt = 0; gone(me); pc[me] = RECEIVE }
	:: atomic { crashes > 0 && pc[me] != RECEIVE -> crashes--; receipt = 0; gone(me); pc[me] = RECEIVE }
	od
}

proctype timer() {
	do
	:: atomic { flight && (owner == 0 || !somebody) -> expire() }
	:: atomic { flight && owner != 0 && somebody && pauses > 0 -> pauses--; expire() }
	od
}

init {
	atomic {
		c_code {
			now.variant = atoi(getenv("variant"));
			now.crashes = atoi(getenv("crashes"));
			now.redeliveries = atoi(getenv("redeliveries"));
			now.pauses = atoi(getenv("pauses"));
			now.most = atoi(getenv("most"));
		};
		run worker(1);
		run worker(2);
		run timer()
	};
	atomic {
		pc[1] == RECEIVE && pc[2] == RECEIVE && !ready && !flight;
		c_code { printf("final charges=%d dead=%d\n", now.charges, now.dead); };
		assert(charges == 1)
	}
}
