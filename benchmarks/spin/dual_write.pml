/* An order is a row in one store and an event in another: the workers of tests/test_spin.py order (variant 0: a second
   attempt finds the row and is done) and order_sent_again (variant 1: it sends the event again). An `atomic` here is a
   `yield` there.

   A crash is followed by a start from the first step, a lost node by nothing. An outage: it did not happen, and its
   caller is told; a lost reply: it did, and its caller is told that it may have. Nobody catches either, so the process
   ends and is started again. */

#define INSERT 0
#define SEND 1
#define DONE 2
#define LOST 3

byte variant, crashes, node_losses, redeliveries, outages, lost_replies;
bool row;
byte sent;
byte pc[3];                    /* workers are 1 and 2 */

#define ended(w) (pc[w] == DONE || pc[w] == LOST)

inline insert(w) {
	if
	:: !row -> row = true; pc[w] = SEND
	:: row && variant == 0 -> pc[w] = DONE
	:: row && variant == 1 -> pc[w] = SEND
	fi
}

proctype worker(byte me) {
	do
	:: atomic { pc[me] == INSERT -> insert(me) }
	:: atomic { pc[me] == INSERT && lost_replies > 0 -> lost_replies--; row = true }
	:: atomic { pc[me] == INSERT && outages > 0 -> outages-- }
	:: atomic { pc[me] == SEND -> sent++; pc[me] = DONE }
	:: atomic { pc[me] == SEND && lost_replies > 0 -> lost_replies--; sent++; pc[me] = INSERT }
	:: atomic { pc[me] == SEND && outages > 0 -> outages--; pc[me] = INSERT }
	:: atomic { pc[me] == SEND && crashes > 0 -> crashes--; pc[me] = INSERT }
	:: atomic { pc[me] == SEND && node_losses > 0 -> node_losses--; pc[me] = LOST }
	:: atomic { ended(me) && redeliveries > 0 -> redeliveries--; pc[me] = INSERT }
	od
}

init {
	atomic {
		c_code {
			now.variant = atoi(getenv("variant"));
			now.crashes = atoi(getenv("crashes"));
			now.node_losses = atoi(getenv("node_losses"));
			now.redeliveries = atoi(getenv("redeliveries"));
			now.outages = atoi(getenv("outages"));
			now.lost_replies = atoi(getenv("lost_replies"));
		};
		run worker(1);
		run worker(2)
	};
	atomic {
		ended(1) && ended(2);
		c_code { printf("final row=%d sent=%d\n", now.row, now.sent); };
		assert(!row || sent > 0)
	}
}
