"""Locks and rows on a real Redis, by plain commands, and the models of both: what they answer, and what is left.

Where the facts are from, in Redis's documentation:

- "Distributed Locks with Redis", "Correct Implementation with a Single Instance": SET NX PX acquires; a script deletes
  the key "only if it exists and the value stored at the key is exactly the one I expect to be". The same comparison
  extends the time to live.
- SET: "Any previous time to live associated with the key is discarded on successful SET operation."
- EXPIRE: the time to live "will only be cleared by commands that delete or overwrite the contents of the key, including
  DEL, SET"; INCR and HSET "leave the timeout untouched". It answers 0 if there is no such key.
- INCRBY: "If the key does not exist, it is set to 0 before". `add` of a Database answers None then, and whoever wants
  what INCRBY does goes on with an `insert`.
- INCR, "Pattern: Rate limiter 2": INCR and EXPIRE in one script, so that no counter stays for ever. In a Database they
  are one `transaction`.
"""

import contextlib
import itertools
import random

import redis

from simlib import Database, Lock
from simlib.errors import AlreadyExists
from simlib.model.operation import Blocked
from tests.on_both import in_lockstep
from tests.scripts import COUNTERS, HASHES, LOCKS, random_commands

KEYS = LOCKS + COUNTERS + HASHES
RELEASE = 'if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) else return 0 end'
EXTEND = RELEASE.replace('"DEL", KEYS[1]', '"PEXPIRE", KEYS[1], ARGV[2]')
IF_THERE = 'if redis.call("EXISTS", KEYS[1]) == 0 then return false end return redis.call({})'
HIT = """
local hits = redis.call("INCR", KEYS[1])
if hits == 1 then redis.call("PEXPIRE", KEYS[1], ARGV[1]) end
return hits
"""
COMPARE_AND_SET = """
if (redis.call("GET", KEYS[1]) or "") ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2])
return 1
"""
REPLACE_FIELDS = 'redis.call("DEL", KEYS[1]) return redis.call("HSET", KEYS[1], "m", ARGV[1], "n", ARGV[1])'
OVER = 1  # a moment in 1970, in milliseconds


class RealRedis:
    """One Redis, and a connection for each client."""

    name = "Redis"

    def __init__(self, url):
        self.url = url
        self.clients = {}
        self.watch = redis.Redis.from_url(url, decode_responses=True)
        self.reset()

    def reset(self):
        self.watch.flushdb()
        self.leases = {lock: [] for lock in LOCKS}
        self.numbers = itertools.count()

    @property
    def version(self):
        return self.watch.info("server")["redis_version"]

    def close(self):
        for client in (self.watch, *self.clients.values()):
            client.close()

    def do(self, who, verb, args):
        if who not in self.clients:
            self.clients[who] = redis.Redis.from_url(self.url, decode_responses=True)
        return getattr(self, verb)(self.clients[who], *args)

    def seen(self, who):
        """By key, what is stored there, and how many seconds it was given to live."""
        pipe = self.watch.pipeline(transaction=False)
        for key in KEYS:
            (pipe.hgetall if key in HASHES else pipe.get)(key)
            pipe.pttl(key)
        found = pipe.execute()
        stored = zip(KEYS, found[::2], found[1::2])
        return {key: (self._shown(key, value), _seconds(life)) for key, value, life in stored if value}

    def _shown(self, key, value):
        if not value:
            return None
        if key in HASHES:
            return {field: int(number) for field, number in value.items()}
        return shown(value, self.leases[key]) if key in LOCKS else int(value)

    # Locks

    def try_acquire(self, client, lock, owner, life):
        value = owner or f"random {next(self.numbers)}"
        got = bool(client.set(lock, value, nx=True, px=_milliseconds(life)))
        self.leases[lock] += [value] * got
        return got

    acquire = try_acquire  # nobody waits at a Redis: a client asks again

    def release(self, client, lock, nth):
        return any(client.eval(RELEASE, 1, lock, value) for value in latest(self.leases[lock], nth))

    def renew(self, client, lock, nth, life):
        return any(client.eval(EXTEND, 1, lock, value, 1000 * life) for value in latest(self.leases[lock], nth))

    def holder(self, client, lock):
        return self._shown(lock, client.get(lock))

    def free(self, client, lock):
        client.delete(lock)

    # Rows

    def write(self, client, key, value, life):
        client.set(key, value, px=_milliseconds(life))

    def insert(self, client, key, value, life):
        return bool(client.set(key, value, nx=True, px=_milliseconds(life)))

    def update(self, client, key, value):
        return bool(client.set(key, value, xx=True))

    def add(self, client, key, n):
        return client.eval(IF_THERE.format('"INCRBY", KEYS[1], ARGV[1]'), 1, key, n)

    def incrby(self, client, key, n):
        return client.incrby(key, n)

    def hit(self, client, key, life):
        return client.eval(HIT, 1, key, 1000 * life)

    def compare_and_set(self, client, key, expected, value):
        return bool(client.eval(COMPARE_AND_SET, 1, key, "" if expected is None else expected, value))

    def write_fields(self, client, key, value):
        client.eval(REPLACE_FIELDS, 1, key, value)

    def update_field(self, client, key, field, value):
        return client.eval(IF_THERE.format('"HSET", KEYS[1], ARGV[1], ARGV[2]'), 1, key, field, value) is not None

    def add_to_field(self, client, key, field, n):
        return client.eval(IF_THERE.format('"HINCRBY", KEYS[1], ARGV[1], ARGV[2]'), 1, key, field, n)

    def read(self, client, key):
        return self._shown(key, (client.hgetall if key in HASHES else client.get)(key))

    def expire(self, client, key, life):
        return bool(client.expire(key, life))

    def delete(self, client, key):
        return bool(client.delete(key))

    def next_id(self, client):
        return client.incr("id")

    # Time, and the network

    def runs_out(self, client, nth):
        """Let a key's time be over. No test may wait for that, so its end is moved to 1970.

        PEXPIREAT then deletes the key. That is the same to whoever looks as a key that has run out: Redis deletes that
        before it carries out any command about it (EXPIRE, "How Redis expires keys"), and only the event that is
        published differs, "del" in place of "expired". SET with PXAT leaves a key that has run out and is still there,
        up to that command or to the next round of the job that deletes such keys. Each is used for some keys.
        """
        key = nth_of([key for key, (_, life) in self.seen("").items() if life], nth)
        if key in LOCKS:
            client.set(key, "over", pxat=OVER)
        elif key is not None:
            client.pexpireat(key, OVER)
        return key

    def reconnect(self, client):
        client.connection_pool.disconnect()


class ModelledStore:
    """Two locks and a database, as the simulator has them. Each method does what Redis's of that name does."""

    def __init__(self):
        self.resources = {**{lock: Lock() for lock in LOCKS}, "db": Database()}
        self.states = {name: resource.initial(name) for name, resource in self.resources.items()}
        self.db = self.resources["db"].handle("db", [])
        self.leases = {lock: [] for lock in LOCKS}

    def do(self, who, verb, args):
        mine = getattr(self, verb, None)
        return mine(who, *args) if mine else self.step(who, getattr(self.db, verb)(*args))

    def step(self, who, op):
        draft = self.states[op.resource].copy()
        answer = draft.perform(op, who)
        self.states[op.resource] = draft
        return answer

    def lock_step(self, who, lock, verb, *args, **kwargs):
        return self.step(who, getattr(self.resources[lock].handle(lock, []), verb)(*args, **kwargs))

    def seen(self, who):
        held = {lock: self.states[lock] for lock in LOCKS if self.states[lock].holder is not None}
        locks = {lock: (shown(state.holder, self._values(lock)), state.ttl) for lock, state in held.items()}
        db = self.states["db"]
        return locks | {key: (row, db.lives[key].seconds if key in db.lives else None) for key, row in db.rows.items()}

    def _values(self, lock):
        return [lease.value for lease in self.leases[lock]]

    def try_acquire(self, who, lock, owner, life, verb="try_acquire"):
        lease = self.lock_step(who, lock, verb, owner, ttl=life)
        self.leases[lock] += [lease] if lease else []
        return lease is not None

    def acquire(self, who, lock, owner, life):
        with contextlib.suppress(Blocked):
            return self.try_acquire(who, lock, owner, life, "acquire")
        return False

    def release(self, who, lock, nth):
        return any(self.lock_step(who, lock, "release", lease) for lease in latest(self.leases[lock], nth))

    def renew(self, who, lock, nth, life):
        return any(self.lock_step(who, lock, "renew", lease, ttl=life) for lease in latest(self.leases[lock], nth))

    def holder(self, who, lock):
        value = self.lock_step(who, lock, "read")
        return value and shown(value, self._values(lock))

    def free(self, who, lock):
        return self.lock_step(who, lock, "delete")

    def write(self, who, key, value, life):
        return self.step(who, self.db.write(key, value, ttl=life))

    def insert(self, who, key, value, life):
        with contextlib.suppress(AlreadyExists):
            self.step(who, self.db.insert(key, value, ttl=life))
            return True
        return False

    def incrby(self, who, key, n):
        value = self.step(who, self.db.add(key, n))
        if value is None:
            self.step(who, self.db.insert(key, n))
        return value or n

    def hit(self, who, key, life):
        db = self.db
        if self.step(who, db.transaction(db.compare_and_set(key, None, 1), db.expire(key, life))):
            return 1
        return self.step(who, db.add(key, 1))

    def write_fields(self, who, key, value):
        return self.step(who, self.db.write(key, {"m": value, "n": value}))

    def update_field(self, who, key, field, value):
        return self.step(who, self.db.update(key, **{field: value}))

    def add_to_field(self, who, key, field, n):
        return self.step(who, self.db.add(key, n, field))

    def runs_out(self, who, nth):
        living = {timer.id: "db" for timer in self.states["db"].timers()}
        living |= {lock: lock for lock in LOCKS if self.states[lock].timers()}
        key = nth_of(living, nth)
        if key is not None:
            (timer,) = [one for one in self.states[living[key]].timers() if one.id in (key, "lease")]
            self.states[living[key]].expire(timer.id)
        return key

    def reconnect(self, who):
        """The end of a client's connection, or of its process, frees no lock and deletes no row."""
        for state in self.states.values():
            state.owner_gone(who)


def shown(value, leases):
    """What a lock's key holds, by number where the value was made up."""
    return value if value == "me" else leases.index(value)


def latest(leases, nth):
    """The nth lease from the last, or the first; none if there is none."""
    return leases[-nth:][:1]


def nth_of(keys, nth):
    return sorted(keys)[nth % len(keys)] if keys else None


def _milliseconds(life):
    return life and 1000 * life


def _seconds(life):
    return None if life < 0 else 1000 * round(life / 1e6)  # the script is over long before half a thousand seconds


def compare_commands(server, seed):
    """Run one script on both, and count what it was about. Raises Disagreement."""
    server.reset()
    return in_lockstep(server, ModelledStore(), random_commands(random.Random(seed)), [f"seed {seed}"])
