"""Sweeps: one record a run, wherever it was made, whoever died on the way."""

import _thread
import inspect
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from queue import LifoQueue

import pytest

from simlib import Database, Queue, Random, Scenario, Service, exponential, sweep
from simlib.errors import Mistake
from simlib.serialization import serialized
from simlib.sweep.chunk import FIGURES, Answer, figures, run_chunk
from simlib.sweep.driver import MOST_LOST, Driver
from simlib.sweep.identity import describe
from simlib.sweep.plan import Plan
from simlib.sweep.pool import Here, Processes
from simlib.sweep.result import Sweep
from simlib.sweep.store import Store
from tests.deadly import fails, fall, falling, kill, never_six
from tests.kernel import live_kernel
from tests.sample import charge, charge_once, shop

ROOT = Path(__file__).parent.parent
GRID = {"crashes_per_day": [0, 5000.0], "latency": [0.1, exponential(1)]}


class Backwards(ThreadPoolExecutor):
    """Does what it was given last before what it was given first."""

    def __init__(self):
        super().__init__(1)
        self._mine = LifoQueue()

    def submit(self, call, /, *args):
        future = Future()
        self._mine.put((future, call, args))
        super().submit(self._last)
        return future

    def _last(self):
        future, call, args = self._mine.get()
        future.set_result(call(*args))


def sample(executor=None, to=None, seeds=range(12), **more):
    given = {"parameters": GRID, "hours": 0.05, **more}
    return sweep(shop(), charge, charge_once, seeds=seeds, executor=executor or Here(), to=to, **given)


@pytest.fixture(scope="module")
def expected():
    return sample()


# The table


def test_there_is_one_record_for_each_seed_parameter_set_and_worker_in_that_order(expected):
    heads = [(one["seed"], one["crashes_per_day"], one["latency"], one["worker"]) for one in expected]
    assert heads == [
        (seed, crashes, latency, worker)
        for seed in range(12)
        for crashes in (0.0, 5000.0)
        for latency in ("0.1", "exponential(1)")
        for worker in ("charge", "charge_once")
    ]


def test_a_record_says_what_the_same_run_alone_says(expected):
    (record,) = [one for one in expected if one["seed"] == 5 and one["worker"] == "charge"][3:]
    run = shop().simulate(charge, seed=5, crashes_per_day=5000.0, latency=exponential(1), hours=0.05)
    assert (record["step_count"], record["latency_median_seconds"]) == (run.counts["steps"], run.latency())
    assert (record["crash_count"], record["simulated_seconds"]) == (run.counts["crashes"], run.seconds)


def test_records_are_plain_values_and_a_column_has_one_type():
    grid = {"crashes_per_day": [0, 9e5], "latency": [0.1, exponential(1)], "until_violation": [True, False]}
    found = sample(parameters=grid, hours=0.005)  # and so many crashes that no task is completed
    assert {*map(tuple, found)} == {("worker", "seed", *grid, *FIGURES)}
    for column in found[0]:
        (kind,) = {type(record[column]) for record in found}
        assert kind in (str, int, float, bool), column
    assert any(one["latency_mean_seconds"] != one["latency_mean_seconds"] for one in found)


def test_every_column_is_explained():
    assert [name for name in FIGURES if f"`{name}`" not in Sweep.__doc__] == []


def test_the_text_has_a_line_for_each_worker_under_each_parameter_set():
    found = sweep(shop(), charge, charge_once, seeds=range(5), parameters={"latency": [0.1, 20]}, executor=Here())
    assert repr(found).splitlines() == [
        "charge and charge_once: 20 runs.",
        "  latency  worker       runs  violated  tasks an hour  median latency",
        "  0.1      charge       5     0         7,200          0.4 s",
        "  0.1      charge_once  5     0         7,200          0.4 s",
        "  20       charge       5     5         1              80 s",
        "  20       charge_once  5     0         1              80 s",
    ]


# Parameters


def test_a_resource_can_be_what_is_tried():
    queues = [Queue(["order-1"], visibility_timeout=seconds) for seconds in (1, 60)]
    short, long = sweep(shop(), charge, seeds=[0], parameters={"inbox": queues}, executor=Here(), latency=0.5)
    assert short["inbox"] == "Queue(messages=['order-1'], visibility_timeout=1, max_receives=None)"
    assert (short["violated"], long["violated"]) == (True, False)  # the worker is slower than the timeout


def test_a_value_and_a_number_of_workers_can_be_what_is_tried():
    def keep(db, me, note):
        yield db.write(me, note)

    scenario = Scenario(db=Database(), note="x")
    sets = [{"note": "y", "workers": 1}, {"note": "z", "workers": 3}]
    found = sweep(scenario, keep, seeds=[7], parameters=sets, executor=Here())
    assert [(one["note"], one["workers"], one["step_count"]) for one in found] == [("y", 1, 1), ("z", 3, 3)]


@pytest.mark.parametrize(
    "given, message",
    [
        ({"latancy": 1}, r"`latancy` is nothing that sweep takes. Did you mean `latency`\?"),
        ({"zzz": 1}, "`zzz` is nothing that sweep takes. It takes seeds, .* hours, .*inbox, bank and db."),
        ({"seedz": 1}, r"`seedz` is nothing that sweep takes. Did you mean `seeds`\?"),
        ({"parameters": {"hourz": [1]}}, r"`hourz` is nothing that sweep takes. Did you mean `hours`\?"),
        ({"trace": True}, "`trace`: a sweep keeps figures. For the events of one run: scenario.simulate"),
        ({"seed": 3}, r"`seed`: give seeds=range\(100\)."),
        ({"seeds": 50}, r"seeds=50: give the seeds themselves, such as seeds=range\(50\)."),
        ({"seeds": [1, 1]}, "seeds: one is there twice"),
        ({"seeds": []}, "seeds: there are none"),
        ({"seeds": [0.5]}, "seeds=0.5: give a whole number from 0 on."),
        ({"parameters": {"hours": 3}}, r"parameters: hours=3. Give a list of the values to try: \[3\]."),
        ({"parameters": {"hours": []}}, "parameters: hours has no value to try."),
        ({"parameters": [3]}, "parameters: 3. Give {'latency'"),
        ({"parameters": [{"hours": 1}, {"latency": 1}]}, "parameters: each set has the same names"),
        ({"parameters": {"hours": [1]}, "hours": 2}, "`hours` is given twice"),
        ({"parameters": {"latency": [lambda chance: 1, lambda chance: 2]}}, "two parameter sets read alike"),
        ({"parameters": {"inbox": [3]}}, "inbox is a resource in this scenario, and cannot become 3, a value."),
        ({"workers": {"charg": 2}}, "there is no worker called charg"),
        ({"executor": "dask"}, 'executor="dask" is no concurrent.futures.Executor.'),
        ({"executor": 0}, "executor=0: give a number of processes, 1 or more."),
        ({"hours": 0}, r"scenario.simulate\(charge, seed=0, hours=0\): hours=0: give a number above 0."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_what_would(given, message):
    with pytest.raises(Mistake, match=message):
        sweep(shop(), charge, **{"executor": Here(), "seeds": range(2), **given})


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"bnk": Service()}, "`bnk` is nothing that the scenario has: it has .*bank.* Did you mean `bank`?"),
        ({"bank": 3}, "bank is a resource in this scenario, and cannot become 3, a value."),
        ({"note": Service()}, "note is a value in this scenario, and cannot become a resource."),
    ],
)
def test_a_scenario_but_for_what_it_does_not_have_is_refused(changed, message):
    scenario = Scenario(bank=Service(), note="x")
    with pytest.raises(Mistake, match=message):
        scenario.but(**changed)
    assert scenario.but(note="y").values == {"note": "y"}
    assert scenario.values == {"note": "x"}


def test_names_that_would_mean_two_things_are_refused():
    with pytest.raises(Mistake, match="`timeout` is a condition of simulate, and a name of the scenario"):
        sweep(Scenario(db=Database(), timeout=3), charge, parameters={"timeout": [1]})
    with pytest.raises(Mistake, match="`step_count` is also a column of the table"):
        sweep(Scenario(db=Database(), step_count=3), lambda db: (yield db.read("x")), parameters={"step_count": [1]})
    with pytest.raises(Mistake, match="two workers have one name: charge and charge"):
        sweep(shop(), charge, charge)


def test_no_figure_has_the_name_of_a_condition():
    assert {*FIGURES} & {*inspect.signature(Scenario.simulate).parameters} == set()


# Executors


def test_a_record_is_the_same_whatever_the_executor_and_the_order(expected):
    executors = [None, 1, Backwards(), ThreadPoolExecutor(3), ProcessPoolExecutor(2, get_context("spawn"))]
    for executor in executors:
        assert repr([*sample(executor)]) == repr([*expected]), executor
    for given in executors[2:]:
        assert given.submit(abs, -1).result() == 1  # what was given is not shut down
        given.shutdown()


class Hasty(Here):
    """Gives a chunk no time but for its first run."""

    def submit(self, call, experiment, cells, work, _):
        return super().submit(call, experiment, cells, work, 0.0)


def test_a_chunk_whose_time_is_over_returns_what_it_has_and_the_rest_is_run_later(expected):
    plan = Plan(shop(), [charge], range(5), (), {})
    experiment = serialized("sweep", "it", (plan.scenario, plan.workers))
    answer = run_chunk(experiment, pickle.dumps({0: {}}), [*plan.runs()], 0.0)
    assert [*answer.found] == [(0, 0, "charge")]
    assert repr([*sample(Hasty())]) == repr([*expected])


def a_driver(seeds):
    plan = Plan(shop(), [charge], seeds, (), {})
    return Driver(plan, Processes(2), Store(plan))


def test_more_is_put_on_its_way_while_a_chunk_waits_for_less_time_than_it_takes():
    driver = a_driver(range(100))
    for seed, age in ((0, 150), (1, 250)):
        future, run = Future(), (seed, 0, "charge")
        future.set_result(Answer({run: {}}, 100.0))
        driver._flying[future] = [run], time.monotonic() - age
        driver._take_in([future])
        assert driver._window == 5


@pytest.mark.parametrize(
    "window, unsent, runs",
    [
        (4, 10**6, 100),  # a second's work
        (4, 40, 10),  # towards the end each of those on their way gets its share
        (4, 2, 1),
        (2_000, 10**6, 200),  # on a thousand cores, of which each has two, two seconds'
        (2_000, 2_000, 200),  # and no less at the end, which the scheduler could not hand out
    ],
)
def test_a_chunk_is_a_second_s_work_less_towards_the_end_and_more_on_many_cores(window, unsent, runs):
    driver = a_driver(range(10))
    assert driver._size() == 1  # as long as nobody knows how long a run takes
    driver._runs, driver._seconds = 1_000, 10.0
    driver._window, driver._unsent = window, unsent
    assert driver._size() == runs


def test_it_works_from_a_script_that_has_no_guard_and_leaves_nothing_when_that_is_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "from simlib import Database, Scenario, sweep\n"
        "os.write(1, b'script ')\n"
        "def work(db):\n"
        "    os.write(1, b'worker ')\n"
        "    while True:\n"
        "        yield db.write('x', 1)\n"
        "sweep(Scenario(db=Database()), work, executor=1, hours=1e9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.read(len(b"script worker ")) == b"script worker "
        process.kill()
        rest, _ = process.communicate(timeout=60)  # ends when the last one who could write there is gone
        assert b"script" not in rest  # simulate also starts a worker to see whether it begins by receiving


def test_importing_simlib_imports_nothing_that_runs_processes():
    heavy = "{'multiprocessing', 'concurrent.futures', 'cloudpickle'}"
    program = f"import sys; before = set(sys.modules); import simlib; print({heavy} & set(sys.modules) - before)"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "set()\n"


def test_without_cloudpickle_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(Mistake, match=r"with cloudpickle: pip install 'midflight\[live\]'"):
        sample()


def test_what_cannot_be_sent_is_named():
    lock = _thread.allocate_lock()

    def work(db):
        with lock:
            yield db.read("x")

    with pytest.raises(Mistake, match=r"the workers cannot be sent to another process: cannot pickle '_thread.lock'"):
        sweep(Scenario(db=Database()), work)


# What goes wrong in a run


def draws(number, seeds):
    """The seeds that draw this number."""
    found = sweep(falling(None, None), fall, seeds=seeds, executor=Here())
    assert len(found) == len(seeds)
    runs = {seed: falling(None, None).simulate(fall, seed=seed)["db"]["x"] for seed in seeds}
    return [seed for seed, drawn in runs.items() if drawn == number]


def test_a_process_that_is_killed_costs_a_retry_and_not_the_sweep(tmp_path):
    def once(db, flag):
        yield db.read("x")
        if db and flag:
            try:
                os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)

    scenario = Scenario(db=Database(), flag=str(tmp_path / "died"))
    found = sweep(scenario, once, seeds=range(40), executor=2)
    assert (len(found), found.failures, found.interrupted) == (40, [], "")
    assert os.path.exists(scenario.values["flag"])


def test_a_run_that_kills_its_process_again_and_again_is_named_and_all_others_are_there():
    seeds = range(1, 50)
    (guilty,) = draws(6, seeds)
    found = sweep(falling(kill), fall, seeds=seeds, executor=1)
    assert [one["seed"] for one in found] == [seed for seed in seeds if seed != guilty]
    (failure,) = found.failures
    assert (failure["worker"], failure["seed"]) == ("fall", guilty)
    assert failure["call"] == f"scenario.simulate(fall, seed={guilty})"
    assert failure["why"].startswith("its process was lost 3 times: BrokenProcessPool")
    assert f"1 run failed:\n  scenario.simulate(fall, seed={guilty}): its process was lost" in repr(found)


def test_where_every_run_kills_its_process_the_first_one_says_so():
    def work(db):
        yield db.read("x")
        os._exit(1)

    with pytest.raises(Mistake, match=r"^scenario.simulate\(work, seed=3\): its process was lost 3 times"):
        sweep(Scenario(db=Database()), work, seeds=range(3, 90), executor=1)


class Lossy(Here):
    """Loses every chunk with one of these seeds."""

    def __init__(self, seeds):
        self._seeds = seeds

    def submit(self, call, /, *args, **kwargs):
        future = super().submit(call, *args, **kwargs)
        if any(seed in self._seeds for seed, *_ in args[2]):
            future = Future()
            future.set_exception(ConnectionError("the node is gone"))
        return future


def test_who_shares_a_chunk_with_a_lost_run_is_not_blamed():
    found = sample(Lossy([5, 9]), parameters={})
    assert [(one["worker"], one["seed"]) for one in found.failures] == [
        ("charge", 5), ("charge_once", 5), ("charge", 9), ("charge_once", 9),
    ]  # fmt: skip
    assert len(found) == 20


def test_a_run_has_its_last_try_alone():
    class Endless(Here):
        def submit(self, *_):
            return Future()

    driver = Driver(Plan(shop(), [charge], range(10), (), {}), Endless(), Store(Plan(shop(), [charge], [0], (), {})))
    driver._lost([(5, 0, "charge")], "it was lost")
    driver._send()
    assert len(driver._flying) == driver._window > 1
    last = Driver(driver._plan, Endless(), driver._store)
    for _ in range(2):
        last._lost([(5, 0, "charge")], "it was lost")
    last._again.popleft()  # as if it had been sent in between
    for _ in range(2):  # also while it is on its way
        last._send()
        assert [runs for runs, _ in last._flying.values()] == [[(5, 0, "charge")]]


def test_an_executor_that_loses_everything_is_given_up():
    found = sample(Lossy(range(1, 100)), seeds=range(100), parameters={})
    assert found.interrupted == f"after {MOST_LOST} runs, one after the other, that lost their process"
    assert {one["seed"] for one in found} == {0}


def test_a_given_executor_that_breaks_ends_it_with_what_is_known(tmp_path):
    seeds = range(1, 60)
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        found = sweep(falling(kill), fall, seeds=seeds, executor=executor, to=tmp_path / "it.jsonl")
    assert found.interrupted.startswith("because its executor broke: BrokenProcessPool")
    assert 0 < len(found) < draws(6, seeds)[0]
    with ThreadPoolExecutor(1) as executor:
        executor.shutdown()
        again = sweep(falling(kill), fall, seeds=seeds, executor=executor, to=tmp_path / "it.jsonl")
    assert again.interrupted.startswith("because its executor takes no more: RuntimeError")
    assert [*again] == [*found]


def test_a_mistake_with_the_first_seed_is_raised_as_alone_and_a_later_one_is_noted():
    scenario = falling(None, None).asking(always=[never_six])
    first, *_ = draws(6, range(60))
    with pytest.raises(Mistake) as alone:
        scenario.simulate(fall, seed=first)
    with pytest.raises(Mistake) as raised:
        sweep(scenario, fall, seeds=[first, 1], executor=1)
    assert str(raised.value) == f"scenario.simulate(fall, seed={first}): {alone.value}"
    assert raised.value.__cause__ is None  # no traceback of pickles
    found = sweep(scenario, fall, seeds=range(1, 60), executor=Here())
    assert found.failures[0]["why"] == str(alone.value)
    assert len(found) + len(found.failures) == 59


def test_an_exception_in_a_worker_is_what_came_of_its_run():
    found = sweep(falling(fails), fall, seeds=range(60), executor=Here())
    assert [one["seed"] for one in found if one["broken"] == "error"] == draws(6, range(60))


def test_a_worker_that_another_machine_cannot_import_is_named():
    answer = run_chunk(b"cnowhere_to_be_found\nwork\n.", b"", [(0, 0, "work"), (1, 0, "work")], 1.0)
    assert answer.found[1, 0, "work"].startswith("where it was to run, it cannot be loaded: ModuleNotFoundError")


# Interrupts


def test_an_interrupt_ends_it_with_what_is_known_and_the_processes_too():
    """The run that draws 6 interrupts the sweep, and then it and its process would go on for ever."""

    def endless(random, db, sweeping):
        number = yield random.choice(range(20))
        if number == 6:
            os.kill(sweeping, signal.SIGINT)
            while True:
                yield db.write("x", 1)

    scenario = Scenario(random=Random(), db=Database(), sweeping=os.getpid())
    found = sweep(scenario, endless, seeds=range(1, 60), executor=1, hours=1e9)
    assert found.interrupted == "by you"
    first = draws(6, range(1, 60))[0]
    assert all(one["seed"] < first for one in found)
    assert "stopped by you" in repr(found)


def test_in_a_kernel_functions_of_cells_are_swept_and_an_interrupt_is_heeded_within_a_second(tmp_path):
    with live_kernel(tmp_path) as kernel:
        kernel.run(
            "import os\n"
            "from simlib import Database, Scenario, sweep\n"
            "PRICE = 3\n"
            "def pay(db):\n"
            "    yield db.write('x', PRICE)\n"
            "def dear(db):\n"
            "    return db['x'] is None or db['x'] < 3\n"
            "def endless(db):\n"
            "    while True:\n"
            "        yield db.write('x', 1)\n"
        )
        cell = kernel.run("sweep(Scenario(db=Database(), always=[dear]), pay, seeds=range(4), executor=2)")
        assert cell.shown.splitlines()[:3] == [
            "pay: 4 runs.",
            "  worker  runs  violated  tasks an hour  median latency",
            "  pay     4     4         360,000        0.01 s",
        ]
        assert not cell.error
        kernel.run(
            "from simlib.sweep import driver\n"
            "wait = driver.wait\n"
            "driver.wait = lambda *given: (print('waiting', flush=True), wait(*given))[1]\n"
        )
        kernel.start("sweep(Scenario(db=Database()), endless, executor=2, hours=1e9)")
        kernel.until_printed("waiting")
        kernel.interrupt()
        cell = kernel.finish()
        assert (cell.error, cell.shown) == ("", "0 of 100 runs, stopped by you.")
        assert cell.seconds < 1


# The file


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


def test_the_file_has_one_record_a_line_below_what_was_asked(tmp_path, expected):
    path = tmp_path / "it.jsonl"
    found = sample(to=path)
    head, *records = map(json.loads, lines(path))
    assert [*head] == ["sweep"]
    assert sorted(map(str, records)) == sorted(map(str, found))
    assert repr([*found]) == repr([*expected])


def test_the_same_call_goes_on_where_the_last_one_ended_and_runs_nothing_twice(tmp_path, expected):
    path = tmp_path / "it.jsonl"
    half = sample(to=path, seeds=range(6))
    before = path.read_bytes()
    again = sample(Lossy(range(6)), to=path)  # which would lose them, were it asked
    assert path.read_bytes().startswith(before)
    assert repr([*again]) == repr([*expected])
    assert repr([*again][: len(half)]) == repr([*half])
    assert repr([*sample(Lossy(range(12)), to=path, seeds=range(3, 6))]) == repr([*expected][24:48])


def test_a_last_line_that_is_torn_anywhere_is_made_again(tmp_path):
    path = tmp_path / "it.jsonl"
    whole = sample(to=path, seeds=range(2), parameters={})
    data = path.read_bytes()
    for length in [*range(0, len(lines(path)[0]) + 2, 97), *range(len(data) - len(lines(path)[-1]), len(data), 31)]:
        path.write_bytes(data[:length])
        assert repr([*sample(to=path, seeds=range(2), parameters={})]) == repr([*whole]), length
        assert [*map(json.loads, sorted(lines(path)))] == [*map(json.loads, sorted(data.splitlines()))]


def test_a_line_that_is_damaged_is_made_again_and_costs_no_other(tmp_path):
    path = tmp_path / "it.jsonl"
    whole = sample(to=path, seeds=range(2), parameters={})
    head, first, *rest = lines(path)
    path.write_bytes(b"".join([head, b"\0" * 20 + b"\n", *rest]))
    assert repr([*sample(to=path, seeds=range(2), parameters={})]) == repr([*whole])
    assert lines(path) == [head, b"\0" * 20 + b"\n", *rest, first]


def changed(line, **fields):
    return json.dumps({**json.loads(line), **fields}).encode()


def without(line, name):
    return json.dumps({key: value for key, value in json.loads(line).items() if key != name}).encode()


ODD = {
    "text for a truth": (lambda line: changed(line, violated="no"), '`violated` is "no", and not true or false'),
    "a number for a truth": (lambda line: changed(line, violated=0), "`violated` is 0, and not true or false"),
    "a truth for a count": (lambda line: changed(line, step_count=True), "`step_count` is True, and not a whole num"),
    "a truth for a seed": (lambda line: changed(line, seed=True), "`seed` is True, and not a whole number"),
    "a fraction for a seed": (lambda line: changed(line, seed=1.0), "`seed` is 1.0, and not a whole number"),
    "text for a seed": (lambda line: changed(line, seed="1"), '`seed` is "1", and not a whole number'),
    "a list for a seed": (lambda line: changed(line, seed=[1]), r"`seed` is \[1\], and not a whole number"),
    "an object for a worker": (lambda line: changed(line, worker={}), "`worker` is {}, and not text"),
    "nothing for a worker": (lambda line: changed(line, worker=None), "`worker` is None, and not text"),
    "nothing for a count": (lambda line: changed(line, step_count=None), "`step_count` is None, and not a whole"),
    "a whole number for seconds": (lambda line: changed(line, simulated_seconds=3), "is 3, and not a number"),
    "text for seconds": (lambda line: changed(line, tasks_per_hour="\x1b[2J"), r"is '\\x1b\[2J', and not a number"),
    "no end of seconds": (lambda line: changed(line, tasks_per_hour=float("inf")), "is inf, and no run measures that"),
    "seconds that no float holds": (lambda line: line.replace(b'"tasks_per_hour": ', b'"tasks_per_hour": 1e999, "x": '),
        "`x` is no field of a record"),
    "a count below none": (lambda line: changed(line, step_count=-1), "`step_count` is -1, and a count is none"),
    "a count that no column holds": (lambda line: changed(line, step_count=2**63), "and a count is none of these"),
    "a number for a property": (lambda line: changed(line, broken=3), "`broken` is 3, and not text"),
    "a parameter that was not asked for": (lambda line: changed(line, latency=0.3), "latency=0.3 is none of the param"),
    "a parameter of another type": (lambda line: changed(line, latency="0.1"), '`latency` is "0.1", and not a number'),
    "another worker": (lambda line: changed(line, worker="charje"), '`worker` is "charje", which is not in this sweep'),
    "a field too many": (lambda line: changed(line, note=1), "`note` is no field of a record"),
    "a field that gives orders": (lambda line: changed(line, **{"\x1b[2J\ud800": 1}), r"`\\x1b\[2J\\ud800` is no f"),
    "no seed": (lambda line: without(line, "seed"), "`seed` is missing"),
    "no worker": (lambda line: without(line, "worker"), "`worker` is missing"),
    "no parameter": (lambda line: without(line, "latency"), "`latency` is missing"),
    "no figure": (lambda line: without(line, "full_disk_count"), "`full_disk_count` is missing"),
    "a field twice": (lambda line: line[:-2] + b', "seed": 5}', "`seed` is there twice"),
    "a list": (lambda line: b"[1, 2]", r"it is \[1, 2\], and no record"),
    "text": (lambda line: b'"charge"', 'it is "charge", and no record'),
    "a number": (lambda line: b"7", "it is 7, and no record"),
    "nothing at all": (lambda line: b"null", "it is None, and no record"),
    "an empty object": (lambda line: b"{}", "`worker` is missing"),
    "another first line": (lambda line: b'{"sweep": {}}', "`sweep` is no field of a record"),
    "deep": (lambda line: b"[" * 100_000 + b"]" * 100_000, "it is nested too deep"),
    "deep enough to be read": (lambda line: b"[" * 400 + b"]" * 400, r"it is \[\[\[.*…, and no record"),
    "a number without end": (lambda line: line.replace(b'"seed": ', b'"seed": ' + b"9" * 10_000), "too many digits"),
    "another record of the same run": (lambda line: changed(line, step_count=77) + b"\n" + line,
        "a line above has another record"),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_a_line_that_is_no_record_of_this_sweep_is_refused_by_its_number(tmp_path, odd):
    path, (make, message) = tmp_path / "it.jsonl", ODD[odd]
    again = {"to": path, "seeds": range(2), "parameters": {"latency": [0.1, 0.2]}}
    sample(**again)
    whole = lines(path)
    bad = [3] if odd != "another record of the same run" else [3, 4]
    whole[3] = make(whole[3]) + b"\n"
    torn = b'{"worker": '
    path.write_bytes(b"".join(whole) + torn)
    before = path.read_bytes()
    with pytest.raises(Mistake, match=f"^to=it.jsonl, line {bad[-1] + 1}: .*{message}") as refused:
        sample(**again)
    assert str(refused.value).isprintable()
    assert str(refused.value).endswith("Delete the line, and its run is made again; or give another name.")
    assert path.read_bytes() == before
    path.write_bytes(b"".join(line for number, line in enumerate(lines(path)) if number not in bad and line != torn))
    assert repr([*sample(**again)]) == repr([*sample(seeds=range(2), parameters={"latency": [0.1, 0.2]})])


def test_fields_in_another_order_and_a_record_that_is_there_twice_are_the_same_record(tmp_path):
    path = tmp_path / "it.jsonl"
    whole = sample(to=path, seeds=range(2))
    head, first, *rest = lines(path)
    turned = json.dumps(dict(reversed(json.loads(first).items()))).encode() + b"\n"
    path.write_bytes(b"".join([head, turned, first, *rest]))
    assert repr([*sample(Lossy(range(2)), to=path, seeds=range(2))]) == repr([*whole])


def test_every_field_of_a_record_is_of_its_type_from_the_first_moment_on():
    def breaks(db):
        yield db.write("x", 1)

    def never(db):
        return False

    at_once = Scenario(db=Database(), always=[never]).simulate(breaks)
    for run in (at_once, shop().simulate(charge, crashes_per_day=1e6, hours=1)):
        assert {name: type(value) for name, value in figures(run).items()} == {**FIGURES}
    assert at_once.first_violation == 0


@pytest.mark.parametrize("value", [float("-inf"), float("inf")])
def test_a_parameter_that_json_does_not_have_is_gone_on_with(tmp_path, value):
    def keep(db, note):
        yield db.write("x", note)

    asked = {"seeds": range(3), "parameters": {"note": [value, 1.0]}, "to": tmp_path / "it.jsonl"}
    first = sweep(Scenario(db=Database(), note=1.0), keep, executor=Here(), **asked)
    again = sweep(Scenario(db=Database(), note=1.0), keep, executor=Lossy(range(3)), **asked)
    assert repr([*again]) == repr([*first])


@pytest.mark.parametrize(
    "head",
    [b'{"sweep": {"": "x"}}', b'{"sweep": {"python": 3}}', b'{"sweep": {"python": ["\\ud800"]}}', b'{"sweep": []}',
     b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"sweep": {}, "sweep": {}}',
     b'{"sweep": ' + b"9" * 9_999 + b"}", b"\xff",
     b'{"sweep": {"python": "\\u001b[2J\\ud800"}}', b'{"sweep": {"python": "' + b"x" * 9_999 + b'"}}'],
)  # fmt: skip
def test_a_first_line_that_makes_no_sense_is_refused_in_a_sentence(tmp_path, head):
    path = tmp_path / "it.jsonl"
    path.write_bytes(head + b"\n")
    with pytest.raises(Mistake, match=r"^to=it.jsonl(: there is something in it| has another sweep)") as refused:
        sample(to=path)
    said = str(refused.value)
    assert said.isprintable() and said.endswith(" Give another name.") and len(said) < 2_000
    assert path.read_bytes() == head + b"\n"


@pytest.mark.parametrize(
    "to, message",
    [("fifo", "to=fifo: it is a FIFO."), ("/dev/zero", "to=zero: it is a device."), (".", "to=.: Is a directory."),
     ("a\0b", "give the name of a file"), ("\ud800", "give the name of a file"), (3, "give the name of a file")],
)  # fmt: skip
def test_what_is_no_file_is_refused_before_the_work(tmp_path, monkeypatch, to, message):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    with pytest.raises(Mistake, match=message):
        sample(to=to)


def test_what_a_killed_sweep_has_written_is_whole_and_is_gone_on_with(tmp_path):
    path = tmp_path / "it.jsonl"
    program = (
        "import os, signal\n"
        "from simlib import exponential, sweep\n"
        "from simlib.sweep.pool import Here\n"
        "from tests.sample import *\n"
        "class Killer(Here):\n"
        "    count = 0\n"
        "    def submit(self, *args):\n"
        "        self.count += 1\n"
        "        return os.kill(os.getpid(), signal.SIGKILL) if self.count == 6 else super().submit(*args)\n"
        f"grid = {GRID!r}\n"
        f"sweep(shop(), charge, charge_once, seeds=range(12), executor=Killer(), to={str(path)!r}, parameters=grid, "
        "hours=0.05)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT)
    assert ran.returncode == -signal.SIGKILL
    known = len(lines(path)) - 1
    assert 0 < known < 96
    found = sample(to=path)
    assert repr([*found]) == repr([*sample()])
    assert len(lines(path)) == 97


def test_before_it_begins_and_when_it_ends_the_file_is_on_the_disk_and_so_is_its_name(tmp_path, monkeypatch):
    synced, sync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(os.fstat(file).st_ino), sync(file)))

    class Asking(Here):
        def submit(self, *args):
            before.append([*synced])
            return super().submit(*args)

    before = []
    sample(Asking(), to=tmp_path / "it.jsonl", seeds=[0])
    path, folder = ((tmp_path / name).stat().st_ino for name in ("it.jsonl", "."))
    assert before[0] == [path, folder]
    assert synced[-1] == path and len(synced) > 2


def other_charge(inbox, bank, db):
    message = yield inbox.receive()
    yield bank.call("charge", 21)
    yield db.write(message.body, "paid")
    yield inbox.ack(message)


other_charge.__name__ = "charge"


@pytest.mark.parametrize(
    "scenario, workers, more, message",
    [
        (shop(), [other_charge], {}, "worker charge is other code"),
        (shop(), [charge, charge_once], {}, "worker charge_once is only here"),
        (shop().asking(), [charge], {}, "always charged_at_most_once is only there"),
        (shop().but(bank=Service(), inbox=Queue(["b"])), [charge], {},
            r"resource inbox is Queue\(messages=\['order-1'\], visibility_timeout=30, max_receives=None\) there and "
            r"Queue\(messages=\['b'\], visibility_timeout=30, max_receives=None\) here"),
        (shop(), [charge], {"hours": 2}, "condition hours is 1 there and 2 here"),
        (shop(), [charge], {"latency": 2}, "condition latency is only here"),
        (shop(), [charge], {"parameters": {"latency": [1, 2]}}, r"parameters is \[\{\}\] there and \[\{'latency': 1\}"),
        (shop(workers=3), [charge], {}, "workers of each is 2 there and 3 here"),
        (shop(restarts=False), [charge], {}, "restarts is True there and False here"),
    ],
)  # fmt: skip
def test_a_file_of_another_sweep_is_refused_with_what_differs(tmp_path, scenario, workers, more, message):
    path = tmp_path / "it.jsonl"
    asked = {"hours": 1, "seeds": [0], "executor": Here(), "to": path}
    sweep(shop(), charge, **asked)
    before = path.read_bytes()
    with pytest.raises(Mistake, match=f"it.jsonl has another sweep in it. .*{message}.* Give another name."):
        sweep(scenario, *workers, **asked | more)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "no newline", '{"a": 1}\n', "[]\n"])
def test_a_file_that_is_none_of_a_sweep_is_left_as_it_is(tmp_path, text):
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(Mistake, match=r"to=mine.txt: there is something in it that is no sweep"):
        sample(to=path)
    assert path.read_text() == text


def test_two_sweeps_do_not_write_one_file(tmp_path):
    class Meanwhile(Here):
        def submit(self, *args):
            with pytest.raises(Mistake, match="another sweep is writing to it"):
                sample(to=tmp_path / "it.jsonl")
            return super().submit(*args)

    assert len(sample(Meanwhile(), to=tmp_path / "it.jsonl", seeds=[0])) == 8


def test_a_file_that_cannot_be_written_is_said_before_the_work_or_ends_it_with_what_is_known(tmp_path, monkeypatch):
    with pytest.raises(Mistake, match=r"to=it.jsonl: No such file or directory."):
        sample(to=tmp_path / "nowhere" / "it.jsonl")
    write = os.write
    left = [2]

    def full(file, data):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(os, "write", full)
    found = sample(to=tmp_path / "it.jsonl")
    assert found.interrupted == "because it.jsonl could not be written: No space left on device"
    assert len(found) == 4  # that were on their way
    assert len(lines(tmp_path / "it.jsonl")) == 2


def test_a_description_follows_what_code_refers_to_and_is_the_same_in_every_process():
    program = (
        "from simlib import exponential\n"
        "from simlib.sweep.identity import describe\n"
        "from tests.sample import *\n"
        "print(describe([charge, charged_at_most_once, shop, shop().resources, exponential(1), {'b', 'a', 'c'}]))"
    )
    said = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed},
            text=True, check=True, cwd=ROOT).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1
    names = {"PRICE": 3}
    exec("def pay(db):\n    return (lambda: PRICE)()", names)
    before = describe(names["pay"])
    assert describe(names["pay"]) == before
    names["PRICE"] = 4
    assert describe(names["pay"]) != before


def test_a_description_tells_apart_what_does_not_say_what_it_is():
    @dataclass(slots=True)
    class Slotted:
        seconds: int

    class Silent:
        def __init__(self, seconds):
            self.seconds = seconds

        def __repr__(self):
            return "<silent>"

    for kind in (partial(partial, max), Slotted, Silent):
        assert describe(kind(1)) == describe(kind(1)) != describe(kind(2))
    assert describe(_thread.allocate_lock()) == "a lock"


# Dask


@pytest.fixture(scope="module")
def cluster():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_dask_gives_the_same_records(cluster, expected):
    assert repr([*sample(cluster.get_executor())]) == repr([*expected])


def test_a_dask_worker_that_is_killed_costs_a_retry_and_not_the_sweep(cluster, tmp_path):
    def once(db, flag):
        yield db.read("x")
        try:
            os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    scenario = Scenario(db=Database(), flag=str(tmp_path / "died"))
    found = sweep(scenario, once, seeds=range(40), executor=cluster.get_executor())
    assert (len(found), found.failures, found.interrupted) == (40, [], "")
    assert os.path.exists(scenario.values["flag"])


def test_a_client_where_its_executor_is_wanted_is_told_how_to_get_it(cluster):
    with pytest.raises(Mistake, match=r"a Dask client has one: client.get_executor\(\)."):
        sample(cluster)


def test_processes_end_when_they_are_killed_whatever_they_do():
    pool = Processes(1)
    future = pool.submit(signal.pause)
    pool.shutdown()
    assert future.exception(30) is not None or future.cancelled()
