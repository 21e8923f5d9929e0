"""Transactions for real: a worker has its own open on PostgreSQL, and whose step waits really waits there."""

import contextlib
import copy
import itertools
import random

import pytest

from simlib import Database, Scenario
from simlib.errors import AlreadyExists, Deadlock, Mistake, OperationError, SerializationFailure
from simlib.live import Chaos, Processes, run
from simlib.live.stores import stores_for
from simlib.live.stores.facts import expected
from simlib.model.operation import BEGUN, OK, Blocked
from simlib.model.values import freeze
from simlib.scenario import system_of
from simlib.schedule.budget import Budget
from simlib.schedule.token import points
from tests.anomalies import ANOMALIES, LEVELS, START
from tests.scripts import random_script


class Both:
    """Sessions on the model and, each with a connection of its own, on a real PostgreSQL."""

    def __init__(self, store, database):
        self.state, self.handle = database.initial("db"), database.handle("db", [])
        self.store = store
        store.prepare(self.state)
        store.close()
        self.observer, self.sessions, self.waiting = copy.deepcopy(store), {}, {}
        self.answers = []

    def run(self, script):
        todo = list(script)
        while todo:
            who, verb, args, options = todo.pop(
                next(at for at, (who, *_) in enumerate(todo) if who not in self.waiting)
            )
            self.waiting[who] = getattr(self.handle, verb)(*args, **options)
            self.go_on(who)
            while free := self.woken():
                self.go_on(free[0])

    def woken(self):
        """Those who have waited and need not any more: as PostgreSQL has it, or the victims of a deadlock."""
        able = [who for who in self.waiting if self.on_the_model(self.state.copy(), who, OK) is not Blocked]
        held = self.observer.waiting() if able else ()
        return [who for who in able if str(who) not in held] or able

    def go_on(self, who):
        draft = self.state.copy()
        outcome, answer = OK, self.on_the_model(draft, who, OK)
        if answer is Blocked:
            outcome, draft = BEGUN, self.state.copy()
            answer = self.on_the_model(draft, who, BEGUN)
        session = self.sessions.setdefault(who, copy.deepcopy(self.store))
        if type(answer).__name__ == "Deadlock":
            session.fall_victim()
        real = self.on(session, who, outcome)
        errors = isinstance(answer, OperationError) and type(answer) is type(real)
        assert errors or freeze(real) == freeze(answer), (self.waiting[who], real, answer)
        self.state = draft
        self.answers.append(answer)
        if outcome == OK:
            del self.waiting[who]
        assert self.observer.facts() == expected(self.state)

    def on_the_model(self, state, who, outcome):
        try:
            return state.perform(self.waiting[who], str(who), outcome)
        except OperationError as error:
            return error
        except Blocked:
            return Blocked

    def on(self, session, who, outcome):
        try:
            return session.perform(self.waiting[who], str(who), outcome)
        except OperationError as error:
            return error

    def close(self):
        for session in self.sessions.values():
            session.end_run()
            session.close()
        self.observer.drop()
        self.observer.close()


@contextlib.contextmanager
def both(folder, url, rows):
    (store,) = stores_for({"db": Database(rows)}, folder, False, {"db": url}).values()
    two = Both(store, Database(rows))
    try:
        yield two
    finally:
        two.close()


@pytest.mark.parametrize("seed", range(6))
def test_any_transactions_have_the_same_answers_waits_and_rows_as_in_the_model(seed, tmp_path, postgresql_url):
    answers = []
    for number in range(5):
        rows, script = random_script(random.Random(100 * seed + number))
        with both(tmp_path / str(number), postgresql_url, rows) as two:
            two.run(script)
            answers += two.answers
    assert len(answers) > 50


def test_who_is_to_fail_does_so_at_the_next_row_and_not_at_the_end_of_a_range(tmp_path, postgresql_url):
    script = [
        (2, "begin", ("serializable",), {}),
        (2, "write", ("b1", 3), {}),
        (2, "scan", ("",), {}),
        (1, "begin", ("serializable",), {}),
        (1, "write", ("b2", 3), {}),
        (2, "read", ("a2",), {"for_update": True}),
        (1, "read", ("b1",), {}),  # now each has read what the other one overwrites
        (1, "scan", ("a",), {"for_update": True}),  # waits, and then has no row to look at any more
        (2, "commit", (), {}),
        (1, "read", ("a2",), {}),
    ]
    with both(tmp_path, postgresql_url, {"a2": 1, "b1": 3, "b2": 2}) as two:
        two.run(script)
    *_, scanned, failed = two.answers
    assert scanned == [("a2", 1)] and type(failed) is SerializationFailure


# Runs


@pytest.fixture(scope="module")
def really(postgresql_url):
    """Plays a schedule of a system, with its database on PostgreSQL."""
    with Processes(system_of(till(), withdraw_from("read committed")), False, {"db": postgresql_url}) as processes:

        def play(system, plan=()):
            processes.system = system
            return run(system, processes, plan or [])

        yield play


def till(**claims):
    return Scenario(db=Database({"balance": 100}), **claims)


def withdraw_from(level, **options):
    def withdraw(db):
        yield db.begin(level)
        balance = yield db.read("balance", **options)
        yield db.write("balance", balance - 30)
        yield db.commit()

    return withdraw


def each_took_its_money(db):
    return db["balance"] == 40


def played(really, scenario, worker, *moves, workers=None):
    """This schedule, on the model first, and then for real."""
    trace = scenario.attack(worker, *moves, workers=workers)
    return really(system_of(scenario, worker, workers), points(trace))


def test_a_lost_update_that_the_checker_finds_is_lost_on_postgresql(really):
    happy = withdraw_from("read committed")
    report = till(eventually=[each_took_its_money]).explore(happy, workers=2)
    assert report.verdict == "violated"
    trace = really(system_of(till(eventually=[each_took_its_money]), happy, 2), points(report.counterexample))
    assert (trace.broken, trace["db"]["balance"]) == ("each_took_its_money", 70)


def test_who_reads_for_update_waits_on_the_server_and_takes_the_row_as_it_is_then(really):
    careful = withdraw_from("read committed", for_update=True)
    trace = played(really, till(), careful, "A 2", "B 2", "A 2", "B 3", workers=2)
    waits = [event for event in trace.events if event.begins]
    assert [(event.worker, event.answer) for event in waits] == [("B", "waits for A")]
    assert trace["db"]["balance"] == 40


KINDS = ("crashes", "node_losses", "lost_replies", "outages", "stops")


def move(source, target):
    """Moves 10, in a transaction that it begins again when it fails."""

    def worker(db):
        while True:
            try:
                yield db.begin("serializable")
                there = yield db.read(source)
                yield db.write(source, there - 10)
                yield db.add(target, 10)
                if (yield db.commit()):
                    return
            except OperationError:
                yield db.rollback()

    worker.__name__ = f"move_to_{target}"
    return worker


def accounts():
    return Scenario(db=Database({"a": 100, "b": 100}), always=[nothing_is_lost])


def nothing_is_lost(db):
    return db["a"] + db["b"] == 200


@pytest.mark.parametrize("seed", range(8))
def test_faults_at_random_places_leave_the_rows_as_they_leave_the_model(seed, really):
    system = system_of(accounts(), [move("a", "b"), move("b", "a")])
    trace = really(system, Chaos(Budget(dict.fromkeys(KINDS, 1)), seed))
    assert trace.broken is None


def test_of_a_circle_the_one_that_the_schedule_names_gets_the_deadlock(really):
    def lock(first, second):
        def worker(db):
            yield db.begin()
            yield db.read(first, for_update=True)
            try:
                yield db.read(second, for_update=True)
            except Deadlock:
                yield db.rollback()
                yield db.write("victim", first)

        worker.__name__ = f"lock_{first}"
        return worker

    both = [lock("a", "b"), lock("b", "a")]
    one, other = system_of(accounts(), both).cast
    for victim, row in ((one, "a"), (other, "b")):
        begun = [f"{one} 2", f"{other} 2", f"{one}: begin", f"{other}: begin", victim]
        assert played(really, accounts(), both, *begun)["db"]["victim"] == row


def test_a_sigkill_frees_its_rows_also_of_one_that_waits_itself(really):
    careful = withdraw_from("read committed", for_update=True)
    trace = played(really, till(), careful, "A 2", "B 2", "crash B", "crash A", workers=2)
    assert [event.worker for event in trace.events if event.begins] == ["B"]
    assert trace["db"]["balance"] == 40


def test_a_commit_after_an_error_answers_that_it_was_none(really):
    def careless(db):
        yield db.begin()
        try:
            yield db.insert("balance", 0)
        except AlreadyExists:
            yield db.write("committed", True) if (yield db.commit()) else db.write("committed", False)

    assert really(system_of(till(), careless))["db"]["committed"] is False


def test_a_file_says_that_it_has_no_levels():
    with pytest.raises(Mistake, match=r"SQLite has one writer at a time .* on=\{\"db\": \"postgresql://"):
        till().live(withdraw_from("read committed"))


def test_each_anomaly_that_the_model_has_at_a_level_is_had_on_postgresql(tmp_path, postgresql_url):
    for number, (anomaly, level) in enumerate(itertools.product(ANOMALIES.values(), LEVELS)):
        script = [(who, verb, args or ([level] if verb == "begin" else []), {}) for who, verb, *args in anomaly.script]
        with both(tmp_path / str(number), postgresql_url, START) as two:
            two.run(script)


def test_columns_of_any_name_and_locked_rows_that_are_skipped_go_to_the_server(really):
    def takes(db):
        yield db.begin()
        yield db.scan("", limit=1, for_update=True, skip_locked=True)
        yield db.read("balance", for_update=True, nowait=True)
        yield db.update("balance", ttl=1, key=2, who=3, row=4)
        yield db.commit()

    account = Scenario(db=Database({"balance": {}}))
    trace = played(really, account, takes, "A 4", "B 2", workers=2)
    assert [event.answer for event in trace.events if event.worker == "B"][1] == []
    assert trace["db"]["balance"] == {"ttl": 1, "key": 2, "who": 3, "row": 4}
