"""The same workers on a real Redis and a real PostgreSQL: what the checker names happens there, and nothing else."""

import contextlib
import copy
import itertools
import multiprocessing
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simlib import AlreadyExists, Database, Lock, Queue, Scenario, Service, Unavailable
from simlib.errors import Mistake, OperationError
from simlib.live import Chaos, Processes, run
from simlib.live.stores import stores_for
from simlib.live.stores.facts import expected
from simlib.model.operation import OK, Blocked, Op, Outcome
from simlib.model.values import freeze
from simlib.resources.lock import Lease
from simlib.resources.message import Message
from simlib.scenario import system_of
from simlib.schedule.budget import Budget
from simlib.schedule.token import Point, points
from tests.lessons import definitions
from tests.servers import free_port

FORK = multiprocessing.get_context("fork")
PATIENCE = 60  # seconds, on a busy machine
# Lesson: the happy path, what breaks it, the careful one.
LESSONS = {
    "00": ("shop", "charge", {"crashes": 1}, "charge_once"),
    "02": ("bank", "book", {"pauses": 1}, "book_fenced"),
    "03": ("three", "take_order", {"crashes": 0}, "take_order_once"),
    "08": ("office", "work", {"crashes": 0}, "work_fenced"),
    "09": ("club", "credit", {"crashes": 1}, "credit_once"),
    "13": ("shop", "fulfil", {"crashes": 0}, "fulfil_once"),
}
EVERY = {"13": 4}  # it takes 20 steps, so only every fourth is tried


@pytest.fixture(scope="module")
def on(redis_url, postgresql_url):
    """Where each resource of the lessons is; the others are embedded."""
    on_postgresql = dict.fromkeys(["inbox", "db", "notes", "requests", "orders", "stock", "ledger"], postgresql_url)
    return {"lock": redis_url, **on_postgresql}


@contextlib.contextmanager
def player(on):
    """Plays a schedule of a system on the servers; all runs under one fork server."""
    with Processes(system_of(scenario(), book_both), False, on) as processes:

        def play(system, plan=()):
            processes.system = system
            return run(system, processes, plan or [])

        yield play


@pytest.fixture(scope="module")
def really(on):
    """With the lock on Redis."""
    with player(on) as play:
        yield play


@pytest.fixture(scope="module")
def in_tables(on, postgresql_url):
    """With the lock on PostgreSQL too."""
    with player({**on, "lock": postgresql_url}) as play:
        yield play


def book_both(inbox, lock, db):
    message = yield inbox.receive()
    lease = yield lock.acquire(ttl=10)
    booked = yield db.read("ann")
    yield db.write("ann", booked + message.body)
    yield lock.release(lease)
    yield inbox.ack(message)


def scenario():
    return Scenario(inbox=Queue([1, 2]), lock=Lock(), db=Database({"ann": 0}))


# The lessons


@pytest.mark.parametrize("number", LESSONS)
def test_the_happy_path_breaks_on_the_servers_with_the_property_that_the_checker_named(number, really):
    shop, happy, faults, _ = LESSONS[number]
    lesson = definitions(number)
    report = lesson[shop].explore(lesson[happy], **faults)
    assert report.verdict == "violated"
    trace = really(system_of(lesson[shop], lesson[happy]), points(report.counterexample))
    assert trace.broken == report.claim
    assert "PostgreSQL" in trace.note


@pytest.mark.parametrize("number", LESSONS)
def test_the_careful_one_survives_a_sigkill_after_each_of_its_steps_on_the_servers(number, really):
    shop, _, _, careful = LESSONS[number]
    lesson = definitions(number)
    undisturbed = lesson[shop].run(lesson[careful])
    (last, *_) = [nth for nth, event in enumerate(undisturbed.events) if event.ended]
    for steps in range(1, last + 1, EVERY.get(number, 1)):
        plan = [*points(undisturbed)[:steps], Point("crash", "A")]
        trace = really(system_of(lesson[shop], lesson[careful], 1), plan)
        assert trace.broken is None, trace
        assert trace.events[steps].kind == "crash"


# Locks


def test_the_lock_of_lesson_02_breaks_in_the_same_way_in_a_table_of_postgresql(in_tables):
    lesson = definitions("02")
    report = lesson["bank"].explore(lesson["book"], pauses=1)
    trace = in_tables(system_of(lesson["bank"], lesson["book"]), points(report.counterexample))
    assert (trace.broken, trace.note.split("; ")[1:]) == (report.claim, ["inbox, lock and db are PostgreSQL."])


@pytest.mark.parametrize("where", ["really", "in_tables"])
def test_a_lock_can_be_renewed_read_freed_by_a_stranger_and_taken_with_any_value(where, request):
    def everything(lock, me):
        first = yield lock.acquire("mine", ttl=10)
        yield lock.renew(first, ttl=20)
        yield lock.read()
        yield lock.delete()
        yield lock.release(first)
        yield lock.renew(first, ttl=5)
        yield lock.delete()
        yield lock.try_acquire({"who": me})
        yield lock.try_acquire()

    def stranger(lock):
        yield lock.delete()

    trace = request.getfixturevalue(where)(system_of(Scenario(lock=Lock()), [everything, stranger]))
    assert (trace["lock"].freed_by_others, trace["lock"].token) == (1, 2)


@pytest.mark.parametrize("where", ["really", "in_tables"])
def test_what_a_worker_left_locked_at_one_task_is_a_strangers_at_its_next(where, request):
    def leave_locked(inbox, lock):
        message = yield inbox.receive()
        yield lock.delete()
        yield lock.try_acquire("locked")
        yield inbox.ack(message)

    trace = request.getfixturevalue(where)(system_of(Scenario(inbox=Queue([1, 2]), lock=Lock()), leave_locked))
    assert trace["lock"].freed_by_others == 1


# Faults


@pytest.mark.parametrize("seed", range(3))
def test_faults_at_random_places_leave_the_servers_as_they_leave_the_model(seed, really):
    kinds = ("crashes", "redeliveries", "pauses", "lost_replies", "outages")
    # One message: of two, SKIP LOCKED may let the younger one go out first where a kill undoes a receive.
    one = Scenario(inbox=Queue([1]), lock=Lock(), db=Database({"ann": 0}))
    really(system_of(one, book_both, 2), Chaos(Budget(dict.fromkeys(kinds, 1)), seed))


def test_insert_under_a_fence_that_finds_a_row_leaves_the_fence_as_it_was(really):
    def insert(db):
        try:
            yield db.insert("ann", 1, fence=9)
        except AlreadyExists:
            yield db.write("ann", 2, fence=8)

    assert really(system_of(scenario(), insert))["db"]["ann"] == 2


def test_compare_and_set_compares_on_the_server_as_in_the_model(really):
    def compare(db):
        yield db.write("ann", {"a": 1, "b": 2})
        yield db.compare_and_set("ann", {"a": 1.0, "b": 2}, "another number")
        yield db.compare_and_set("ann", {"b": 2, "a": 1}, None)
        yield db.compare_and_set("ann", None, "done")

    assert really(system_of(scenario(), compare))["db"]["ann"] == "done"


def test_no_timer_of_the_world_runs_out_by_itself_while_a_run_takes_its_time(really):
    def hasty(lock):
        lease = yield lock.acquire(ttl=0.0001)
        yield lock.read()
        yield lock.release(lease)

    assert really(system_of(scenario(), hasty))["lock"].token == 1


# The stores themselves, without a supervisor


@contextlib.contextmanager
def stores(folder, on, **resources):
    """The real parts, made and given up. No connection is open, so that processes can be forked."""
    made = stores_for(resources, folder, False, on)
    for name, store in made.items():
        store.prepare(resources[name].initial(name))
        store.close()
    try:
        yield made
    finally:
        for store in made.values():
            store.drop()


def again(store):
    """The same real part as another process has it: with a connection of its own."""
    store.close()
    return copy.deepcopy(store)


def ask(store, verb, *args, outcome=Outcome(), **kwargs):  # noqa: B008
    return store.perform(Op(store.name, verb, args, kwargs), "A", outcome)


def insist(store, verb, *args, **kwargs):
    """Ask until it can be had."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(Blocked):
            return ask(store, verb, *args, **kwargs)
    raise TimeoutError(verb)


def at_once(*jobs):
    """Do these in a process each; what each gives."""
    answers = [FORK.SimpleQueue() for _ in jobs]
    together = FORK.Barrier(len(jobs))

    def work(job, answer):
        together.wait(PATIENCE)
        answer.put(job())

    processes = [FORK.Process(target=work, args=each) for each in zip(jobs, answers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
        process.kill()
    assert [process.exitcode for process in processes] == [0] * len(jobs)
    return [answer.get() for answer in answers]


ROWS = [None, 0, 1, True, 1.5, "", "é\n'%?", {"a": 1, "b": 2}, {"b": 2, "a": 1}, [1, (2,)]]


def database_step(draw, state):
    key, row = draw.choice(["x", "y", "order-1", 7, ("a", 1)]), draw.choice(ROWS)
    fence = {"fence": draw.randrange(5)} if draw.random() < 0.4 else {}
    present = state.rows.get(key) if draw.random() < 0.5 else draw.choice(ROWS)
    writes = [
        Op("it", "write", (key, row), fence), Op("it", "insert", (key, row), fence), Op("it", "delete", (key,), fence),
        Op("it", "compare_and_set", (key, present, row), fence),
    ]  # fmt: skip
    others = [
        Op("it", "read", (key,), fence), Op("it", "scan", ("order",)), Op("it", "next_id", ("it's",)),
        Op("it", "transaction", tuple(draw.sample(writes, draw.randrange(4)))),
    ]  # fmt: skip
    return draw.choice([*writes, *others])


def queue_step(draw, state):
    known = [*state.ready, *state.in_flight, *state.acked, Message("it-1", "old", 1)]
    verbs = {"send": (draw.choice(ROWS),), "receive": (), "ack": (draw.choice(known),), "nack": (draw.choice(known),)}
    return Op("it", *draw.choice([*verbs.items()]))


def lock_step(draw, state):
    lease, ttl = Lease(draw.choice([state.holder, "old"]), 1), {"ttl": draw.choice([5, 0.5])}
    value = draw.choice([(), ("locked",), ({"%d'": 1},)])
    steps = [(verb, value, draw.choice([{}, ttl])) for verb in ("acquire", "try_acquire")]
    return Op("it", *draw.choice([*steps, ("release", (lease,)), ("renew", (lease,), ttl), ("read",), ("delete",)]))


RESOURCES = {
    "database": (Database({"x": 1}), database_step),
    "queue": (Queue([1, None], visibility_timeout=30, max_receives=2), queue_step),
    "lock": (Lock(), lock_step),
}


@pytest.mark.parametrize(
    ("where", "what"), [("redis", "lock"), *itertools.product(["postgresql", "a file"], RESOURCES)]
)
def test_any_steps_in_any_order_have_the_same_answers_and_effects_as_in_the_model(where, what, tmp_path, request):
    resource, step = RESOURCES[what]
    on = {} if where == "a file" else {"it": request.getfixturevalue(f"{where}_url")}
    draw, state = random.Random(1), resource.initial("it")
    with stores(tmp_path, on, it=resource) as made:
        for _ in range(80):
            store, who = made["it"], draw.choice("AB")
            timers = state.timers()
            if timers and draw.random() < 0.15:
                state.expire(timers[0].id)
                store.expire(timers[0].id)
            else:
                op = step(draw, state)
                way = draw.choice([OK, OK, *(way for way in state.outcomes(op) if way.fault != "outages")])
                assert freeze(answer(store, op, who, way)) == freeze(answer(state, op, who, way)), op
            assert store.facts() == expected(state)


def answer(thing, *step):
    try:
        return thing.perform(*step)
    except OperationError as error:
        return error
    except Blocked:
        return "it has to wait"


def test_two_processes_at_one_queue_get_each_message_once(tmp_path, postgresql_url):
    def drain(who):
        got = []
        with contextlib.suppress(Blocked):
            while True:
                message = ask(inbox, "receive")
                got.append(message.body)
                ask(inbox, "ack", message)
        return got

    resources = {"inbox": Queue(range(40))}
    with stores(tmp_path, {"inbox": postgresql_url}, **resources) as made:
        inbox = made["inbox"]
        one, two = at_once(lambda: drain("A"), lambda: drain("B"))
        # One may find nothing that is free while the other takes the last ones; whoever is left finds them.
        assert sorted(one + two + drain("C")) == list(range(40))
        assert len(inbox.facts()["acked"]) == 40


def test_who_receives_does_not_wait_for_a_message_that_somebody_is_just_taking(tmp_path, postgresql_url):
    with stores(tmp_path, {"inbox": postgresql_url}, inbox=Queue([1, 2])) as made:
        one, other = made["inbox"], again(made["inbox"])
        got = []

        def take():
            got.extend([one.on_receive("A").body, ask(other, "receive").body])
            raise InterruptedError  # it is undone, and the second message has gone out before the first one

        with pytest.raises(InterruptedError):
            one.connection.transaction("", take)
        assert got == [1, 2]
        assert [name for name, *_ in one.facts()["ready"]] == ["inbox-1"]
        other.close()


def test_two_processes_that_send_lose_no_message_and_number_none_twice(tmp_path, postgresql_url):
    with stores(tmp_path, {"inbox": postgresql_url}, inbox=Queue()) as made:
        inbox = made["inbox"]
        sent = at_once(*[lambda: [ask(inbox, "send", None) for _ in range(15)]] * 2)
        assert sorted(itertools.chain(*sent)) == sorted(f"inbox-{number}" for number in range(1, 31))


def test_a_lock_on_redis_keeps_two_processes_apart(tmp_path, redis_url, postgresql_url):
    def count(who):
        tokens = []
        for _ in range(20):
            lease = insist(lock, "acquire", ttl=30)
            tokens.append(lease.token)
            ask(db, "write", "n", ask(db, "read", "n") + 1)  # two steps: nothing but the lock protects them
            assert ask(lock, "release", lease)
        return tokens

    resources = {"lock": Lock(), "db": Database({"n": 0})}
    with stores(tmp_path, {"lock": redis_url, "db": postgresql_url}, **resources) as made:
        lock, db = made["lock"], made["db"]
        tokens = at_once(lambda: count("A"), lambda: count("B"))
        assert sorted(itertools.chain(*tokens)) == list(range(1, 41))
        assert (lock.facts(), db.facts()["rows"]) == ({"holder": None, "token": 40, "freed_by_others": 0}, {"n": 40})


def test_two_processes_at_one_table_are_as_if_each_were_alone(tmp_path, postgresql_url):
    def race(who):
        won = []
        for key in range(15):
            with contextlib.suppress(AlreadyExists):
                ask(db, "insert", key, who)
                won.append(key)
            both = (Op("db", "compare_and_set", ("left", 0, 0)), Op("db", "write", ("right", who)))
            ask(db, "transaction", *both)
            while not ask(db, "compare_and_set", "n", (n := ask(db, "read", "n")), n + 1):
                pass
        return won, [ask(db, "next_id", "order") for _ in range(15)]

    with stores(tmp_path, {"db": postgresql_url}, db=Database({"n": 0, "left": 0})) as made:
        db = made["db"]
        (won, some), (won_too, others) = at_once(lambda: race("A"), lambda: race("B"))
        assert sorted(won + won_too) == list(range(15))
        assert sorted(some + others) == list(range(1, 31))
        assert db.facts()["rows"]["n"] == 30


def test_an_outage_of_postgresql_is_somebody_who_holds_the_tables(tmp_path, postgresql_url):
    with stores(tmp_path, {"db": postgresql_url}, db=Database()) as made:
        db, migration = made["db"], again(made["db"])
        with migration.down(), pytest.raises(Unavailable, match=r"^db\.write$"):
            ask(db, "write", "ann", 1, outcome=Outcome("outages"))
        assert db.facts()["rows"] == {}
        ask(db, "write", "ann", 1, outcome=Outcome("outages"))  # nobody is in its way: it is no play
        assert db.facts()["rows"] == {"ann": 1}
        migration.close()


def test_an_outage_of_redis_is_a_refused_connection(tmp_path, redis_url):
    with stores(tmp_path, {"lock": redis_url}, lock=Lock()) as made:
        with pytest.raises(Unavailable, match=r"^lock\.acquire$"):
            ask(made["lock"], "acquire", outcome=Outcome("outages"))
        assert made["lock"].facts() == expected(Lock().initial("lock"))


def test_nothing_that_a_killed_process_sent_to_postgresql_is_still_on_its_way_when_it_is_looked_at(
    tmp_path, postgresql_url
):
    busy = "SELECT 1 FROM pg_stat_activity WHERE query = ? AND state = 'active'"
    with stores(tmp_path, {"db": postgresql_url}, db=Database({"n": 0})) as made:
        db = made["db"]
        slow = f"UPDATE rows SET row = '{db.signer.write(1)}' FROM pg_sleep(0.5)"  # one statement, committed by itself
        victim = FORK.Process(target=lambda: db.run(slow))
        victim.start()
        wait_for(lambda: db.run(busy, slow))
        victim.kill()
        victim.join()
        assert db.facts()["rows"] == {"n": 1}


def test_nothing_that_a_killed_process_sent_to_redis_is_still_on_its_way_when_it_is_looked_at(tmp_path, redis_url):
    slow = "for _ = 1, 2e7 do end redis.call('HSET', KEYS[1], 'token', 7)"
    sent = FORK.Event()

    def work():
        connection = lock.client.connection_pool.get_connection("EVAL")
        connection.send_command("EVAL", slow, 1, lock.keys[1])
        sent.set()
        signal.pause()

    with stores(tmp_path, {"lock": redis_url}, lock=Lock()) as made:
        lock = made["lock"]
        victim = FORK.Process(target=work)
        victim.start()
        assert sent.wait(PATIENCE)
        victim.kill()
        victim.join()
        assert lock.facts()["token"] == 7


# Nothing is left


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until


def left(redis_client, postgresql):
    """What there is on the servers of any run."""
    schemas = postgresql.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'midflight%'").fetchall()
    return sorted([*redis_client.keys("midflight*"), *(name for (name,) in schemas)])


@pytest.fixture
def known(redis_client, postgresql):
    """What other runs have there now."""
    return left(redis_client, postgresql)


def test_a_run_leaves_nothing_on_the_servers(on, redis_client, postgresql, known):
    assert scenario().live(book_both, on={name: on[name] for name in ("lock", "db", "inbox")}).broken is None
    assert left(redis_client, postgresql) == known


def test_a_run_that_ends_with_an_error_leaves_nothing_on_the_servers(on, redis_client, postgresql, known):
    with pytest.raises(ZeroDivisionError), Processes(system_of(scenario(), book_both), False, on) as processes:
        processes.begin()
        assert len(left(redis_client, postgresql)) == len(known) + 3  # a schema each; Redis shows no empty key
        raise ZeroDivisionError
    assert left(redis_client, postgresql) == known


SUPERVISOR = """
import sys
from simlib.live import Processes, run
from simlib.scenario import system_of
from tests.live.test_servers import book_both, scenario
on = dict(zip(("lock", "db", "inbox"), sys.argv[1:]))
system = system_of(scenario(), book_both, 2)
with Processes(system, False, on) as processes:
    run(system, processes, [])
    processes.fork("worker", "A", 1)
    print("running", flush=True)
    sys.stdin.read()
"""


def test_a_supervisor_that_is_killed_leaves_nothing_on_the_servers(on, redis_client, postgresql, known):
    urls = [on[name] for name in ("lock", "db", "inbox")]
    pipe = subprocess.PIPE
    root = Path(__file__).parent.parent.parent
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR, *urls], stdin=pipe, stdout=pipe, cwd=root)
    with supervisor:
        assert supervisor.stdout.readline() == b"running\n"
        assert len(left(redis_client, postgresql)) > len(known)
        supervisor.kill()
    wait_for(lambda: left(redis_client, postgresql) == known)


def test_every_key_on_redis_goes_by_itself_within_an_hour(tmp_path, redis_url, redis_client):
    with stores(tmp_path, {"lock": redis_url}, lock=Lock()) as made:
        ask(made["lock"], "acquire")
        assert all(0 < redis_client.ttl(key) <= 3600 for key in made["lock"].keys)


# Mistakes


def mistake(on, **resources):
    with pytest.raises(Mistake) as caught:
        Scenario(**(resources or {"inbox": Queue([1]), "lock": Lock(), "db": Database(), "bank": Service()})).live(
            book_both, on=on
        )
    return str(caught.value)


def test_a_name_that_the_scenario_does_not_have_is_a_mistake():
    assert mistake({"lokc": "redis://127.0.0.1"}) == (
        'on={"lokc": ...}: the scenario has no such resource. It has inbox, lock, db and bank. Did you mean `lock`?'
    )


def test_one_url_for_everything_is_a_mistake():
    assert mistake("redis://:secret@127.0.0.1") == (
        'on="redis://:***@127.0.0.1": say which resource is there: on={"inbox": "redis://:***@127.0.0.1"}.'
    )


@pytest.mark.parametrize(
    ("name", "url", "said"),
    [
        ("db", "redis://127.0.0.1", "a Database can be on postgresql://me@127.0.0.1/test."),
        ("inbox", 'inbox', "a Queue can be on postgresql://me@127.0.0.1/test."),
        ("lock", "http://a:b@c", "a Lock can be on redis://127.0.0.1:6379/0 or postgresql://me@127.0.0.1/test."),
        ("lock", None, "a Lock can be on redis://127.0.0.1:6379/0 or postgresql://me@127.0.0.1/test."),
        ("bank", "redis://127.0.0.1", "a Service cannot be on a server. Leave it out."),
    ],
)  # fmt: skip
def test_a_url_that_does_not_fit_the_resource_is_a_mistake_that_says_which_does(name, url, said):
    text = mistake({name: url})
    assert text.endswith(said)
    assert "a:b" not in text


@pytest.mark.parametrize(
    ("scheme", "name", "how"),
    [
        ("redis", "lock", "`redis-server --port {}`"),
        ("postgresql", "db", "`docker run --rm -p {}:5432 -e POSTGRES_PASSWORD=secret postgres`"),
    ],
)
def test_a_server_that_does_not_answer_is_a_mistake_that_says_how_to_start_one_and_no_password(
    scheme, name, how, tmp_path
):
    port, resources = free_port(), {"lock": Lock(), "db": Database()}
    on = {name: f"{scheme}://me:hush@127.0.0.1:{port}/0"}
    with pytest.raises(Mistake) as caught, stores(tmp_path, on, **{name: resources[name]}):
        pass
    text = str(caught.value)
    assert text.startswith(f"{scheme}://me:***@127.0.0.1:{port}/0 cannot be used: ")
    assert "refused" in text.lower()
    assert how.format(port) in text
    assert "hush" not in text


def test_a_password_that_redis_does_not_take_is_a_mistake_that_does_not_show_it(redis_url):
    text = mistake({"lock": redis_url.replace("sesame", "barley")})
    assert "invalid username-password pair" in text
    assert "barley" not in text


@pytest.mark.parametrize(
    ("name", "url", "package", "extra"),
    [("lock", "redis://127.0.0.1", "redis", "redis"), ("db", "postgresql://127.0.0.1", "psycopg", "postgres")],
)
def test_a_missing_package_is_a_mistake_that_says_what_to_install(name, url, package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    assert mistake({name: url}) == f"{url} is reached with {package}: pip install 'midflight[{extra}]'."
