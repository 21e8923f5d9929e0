"""A lock on Redis: one key, as "Distributed Locks with Redis" in its documentation describes it for one instance."""

from __future__ import annotations

import os
import socket
from collections.abc import Hashable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from simlib.errors import Unavailable
from simlib.live.stores.base import Facts, Mutex, Store, lasting
from simlib.live.stores.servers import HERE, PATIENCE, alive, unreachable, wait_until
from simlib.model.fault import OUTAGES
from simlib.model.operation import Op, Outcome
from simlib.resources.lock import Lease

ATTEMPTS = 50
AN_HOUR = 3600  # seconds after which a key left behind expires

# KEYS: the lock, and a hash of what Redis does not track: how often the lock was acquired (the fencing token), by whom,
# and how often somebody else freed it. A script is atomic, so the two stay consistent.
ACQUIRE = """
local token = redis.call('HGET', KEYS[2], 'token') + 1
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
if token ~= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], 'token', token, 'owner', ARGV[4])
return token
"""
FREE = """
local value = redis.call('GET', KEYS[1])
if not value or (ARGV[1] ~= '' and ARGV[1] ~= value) then return 0 end
if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[2] then redis.call('HINCRBY', KEYS[2], 'freed_by_others', 1) end
return redis.call('DEL', KEYS[1])
"""
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'owner', ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
HASTEN = """
return redis.call('PEXPIRE', KEYS[1], 1)
"""


class RedisLock(Mutex, Store):
    """SET NX with an expiry; a script that compares and deletes releases it."""

    kind = "Redis"

    def __init__(self, name: str, url: str, tag: str) -> None:
        super().__init__(name)
        self.url = url
        self.tag = tag
        self.keys = (f"{tag}:{name}", f"{tag}:{name}:beside")
        self._open: Any = None
        self._nobody: socket.socket | None = None  # bound but never listening: an outage for a client

    def _connect(self, url: str) -> Any:
        return redis.Redis.from_url(
            url,
            client_name=f"{self.tag}:{os.getpid()}",
            decode_responses=True,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),  # a retry might take a step twice
        )

    @property
    def client(self) -> Any:
        if self._open is None:
            self._open = self._connect(self.url)
        return self._open

    def _script(self, script: str, *values: Any) -> Any:
        return self.client.eval(script, len(self.keys), *self.keys, *values)

    def prepare(self, state: Any) -> None:
        self._nobody = socket.socket()
        self._nobody.bind((HERE, 0))
        try:
            self.client.hset(self.keys[1], mapping={"token": 0, "owner": "", "freed_by_others": 0})
            self.client.expire(self.keys[1], AN_HOUR)
        except redis.RedisError as error:
            raise unreachable(self.url, error) from None

    def carry_out(self, op: Op, who: str, outcome: Outcome) -> Any:
        there = self.client
        if outcome.fault == OUTAGES:
            assert self._nobody is not None
            self._open = self._connect(f"redis://{HERE}:{self._nobody.getsockname()[1]}")
        try:
            return super().carry_out(op, who, outcome)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            if outcome.fault == OUTAGES:
                raise Unavailable(op.name) from None
            raise unreachable(self.url, error) from None
        finally:
            self._open = there

    def on_try_acquire(self, who: str, value: Any = None, ttl: float | None = None) -> Lease | None:
        for _ in range(ATTEMPTS):
            token = 1 + int(self.client.hget(self.keys[1], "token"))  # part of the value; only we can sign it
            holder = f"{who}#{token}" if value is None else value
            got = self._script(ACQUIRE, self.signer.write(holder), token, _milliseconds(ttl), self.owner(who))
            if got is None:
                return None
            if got == token:
                return Lease(holder, token)
        raise Unavailable(f"{self.name}.acquire")  # somebody was faster every time

    def on_read(self, who: str) -> Any:
        return self._value(self.client.get(self.keys[0]))

    def on_delete(self, who: str) -> None:
        self._script(FREE, "", self.owner(who))

    def on_release(self, who: str, lease: Lease) -> bool:
        return bool(self._script(FREE, self.signer.write(lease.value), self.owner(who)))

    def on_renew(self, who: str, lease: Lease, ttl: float) -> bool:
        return bool(self._script(RENEW, self.signer.write(lease.value), self.owner(who), _milliseconds(ttl)))

    def _value(self, text: str | None) -> Any:
        return None if text is None else self.signer.read(text)

    def expire(self, timer: Hashable) -> None:
        """Let the key expire in a millisecond."""
        if self._script(HASTEN):
            wait_until(lambda: not self.client.exists(self.keys[0]), f"{self.kind} keeps a key beyond its time")

    def look(self) -> Facts:
        wait_until(self._quiet, f"{self.kind} has not noticed the end of a process that has been killed")
        both = self.client.pipeline(transaction=True)
        value, beside = both.get(self.keys[0]).hgetall(self.keys[1]).execute()
        counts = {name: int(beside[name]) for name in ("token", "freed_by_others")}
        return {"holder": self._value(value), **counts}

    def _quiet(self) -> bool:
        """Whether the dead clients are gone. Redis guarantees no order between connections, but notices the end of one
        only after reading everything sent over it.
        """
        names = [client["name"].partition(":") for client in self.client.client_list()]
        return all(alive(process) for tag, _, process in names if tag == self.tag)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None

    def drop(self) -> None:
        self.client.delete(*self.keys)
        self.close()


def _milliseconds(ttl: float | None) -> int:
    """The expiry. A key without a time to live gets one too, in case nobody is left to delete it."""
    return int(1000 * (AN_HOUR if ttl is None else lasting(ttl)))
