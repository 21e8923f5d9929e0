"""The same workers in real processes: killed, stopped, cut off; and nothing of them is left."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from simlib import Clock, Database, Disk, Lock, Random, Scenario, Service, lanes
from simlib.errors import Mistake, NotHere
from simlib.live import INSTEAD, NO_PROCESSES, Chaos, ModelIsWrong, Processes, run
from simlib.live.machine import LiveMachine
from simlib.live.stores import Folder, SmallDisk, stores_for
from simlib.model.system import outcome_of
from simlib.resources.database_state import DatabaseState
from simlib.scenario import system_of
from simlib.schedule.budget import Budget
from simlib.schedule.transition import Transition
from tests.sample import charge, charge_once, shop

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 10  # seconds, for what takes a few milliseconds


def told(trace):
    """What happened, without what was real."""
    return str(trace.but(note=""))


@pytest.fixture(scope="module")
def failure():
    return shop().explore(charge, crashes=1)


def test_a_crash_is_a_kill_and_ends_as_the_picture_said(failure):
    trace = shop().live(charge, failure)
    assert told(trace) == str(failure.counterexample)
    assert trace.note == (
        "For real: 2 operating-system processes, 1 SIGKILL; inbox and db are SQLite; bank is an HTTP server."
    )


def test_the_careful_worker_survives_the_same_kill(failure):
    trace = shop().live(charge_once, failure)
    assert trace.broken is None
    assert trace["bank"].count("charge") == 1
    assert told(trace) == str(shop().replay(charge_once, failure))


def test_a_token_and_a_trace_are_played_like_the_report(failure):
    traces = [shop().live(charge, what) for what in (failure.token, failure.counterexample)]
    assert [told(trace) for trace in traces] == [str(failure.counterexample)] * 2


def test_what_is_no_failure_is_explained():
    with pytest.raises(Mistake, match=r"live\(\.\.\., 5\): give a report, a trace or a token\."):
        shop().live(charge, 5)


def test_only_a_schedule_that_fills_the_disk_gets_one_that_can_be_full():
    safe = Scenario(disk=Disk({"state": "old"}), always=[state_is_there])
    assert safe.live(save, safe.run(save)).parts["disk"].startswith("a folder;")
    full = safe.explore(save, disk_full=1)
    small = Scenario(disk=Disk({"state": "old"}, capacity=9))
    assert safe.live(save, full).parts == small.live(save).parts


def test_with_no_failure_and_no_faults_nothing_goes_wrong():
    trace = shop().live(charge)
    assert (trace.broken, trace.faults, trace["bank"].count("charge")) == (None, [], 1)


def test_a_live_run_can_be_drawn_under_what_it_was_to_be(failure):
    picture = lanes(failure, shop().live(charge, failure))
    assert str(picture).count("charge, for real: the same failure breaks") == 1
    assert "1 SIGKILL" in str(picture)


def test_a_pause_that_outlives_the_lease_is_a_stopped_process():
    def book(db, lock):
        yield lock.acquire("locked", ttl=10)
        balance = yield db.read("account")
        yield db.write("account", balance + 1)
        yield lock.delete()

    def nobody_frees_anothers_lock(lock):
        return lock.freed_by_others == 0

    bank = Scenario(
        db=Database({"account": 0}), lock=Lock(), workers=2, always=[nobody_frees_anothers_lock],
    )  # fmt: skip
    found = bank.explore(book, pauses=1)
    trace = bank.live(book, found)
    assert (found.claim, trace.broken) == ("nobody_frees_anothers_lock", "nobody_frees_anothers_lock")
    assert "1 SIGSTOP" in trace.note


def save(disk):
    yield disk.write("state", "new")


def state_is_there(disk):
    return disk.contents("state") in ("old", "new")


def test_a_full_disk_is_full():
    full = Scenario(disk=Disk({"state": "old"}, capacity=3), eventually=[state_is_there])
    found = full.explore(save, disk_full=1)
    trace = full.live(save, found)
    assert trace.broken == found.claim
    assert "disk is a folder" in trace.note
    assert "ENOSPC" in trace.parts["disk"] or "EFBIG" in trace.parts["disk"]


def test_where_nothing_can_be_mounted_a_process_may_not_write_on(monkeypatch, tmp_path):
    monkeypatch.setattr(SmallDisk, "mount", lambda self: False)
    assert type(stores_for({"disk": Disk()}, tmp_path, True)["disk"]) is Folder


def test_a_power_loss_leaves_what_was_synced():
    def careless(disk):
        yield disk.write("draft", "new")
        yield disk.rename("draft", "state")

    machine = Scenario(disk=Disk({"state": "old"}), always=[state_is_there])
    found = machine.explore(careless, power_losses=1)
    assert machine.live(careless, found).broken == found.claim == "state_is_there"


@pytest.mark.parametrize("fault", ["lost_replies", "outages", "rejections"])
def test_a_service_loses_replies_is_away_and_refuses(fault):
    def pay(bank):
        yield bank.call("charge", 20)

    def charged_once(bank):
        return bank.count("charge") == 1

    bank = Scenario(bank=Service(), eventually=[charged_once])
    found = bank.explore(pay, **{fault: 1})
    trace = bank.live(pay, found.counterexample or found.sample(1)[0])
    assert trace.broken == found.claim


def test_time_and_chance_are_the_scenario_s():
    def draw(db, clock, chance):
        yield clock.sleep(60)
        number = yield chance.choice([1, 2, 3])
        yield db.write("number", number)
        yield db.write("at", (yield clock.now()))

    place = Scenario(db=Database(), clock=Clock(), chance=Random())
    rows = {place.live(draw, crashes=0, seed=seed)["db"]["number"] for seed in range(6)}
    assert len(rows) > 1
    assert place.live(draw)["db"]["at"] == 60


def test_the_same_seed_is_the_same_schedule():
    one, two = (shop().live(charge, seed=5, crashes=2, lost_replies=1).faults for _ in range(2))
    assert one == two


def test_every_random_run_ends_in_what_explore_can_reach():
    reached = shop().explore(charge_once, workers=2, crashes=2, redeliveries=1)
    system = system_of(shop(), charge_once, 2)
    with Processes(system, fills=False) as processes:
        for seed in range(15):
            trace = run(system, processes, Chaos(Budget({"crashes": 2, "redeliveries": 1}), seed))
            *_, last = trace.worlds()
            assert (reached.verdict, trace.broken) == ("holds", None)
            assert outcome_of(last) in reached.outcomes


def test_a_model_that_does_what_its_real_part_does_not_is_found_out(monkeypatch):
    monkeypatch.setattr(DatabaseState, "on_write", lambda self, who, key, row, fence=None: None)
    with pytest.raises(ModelIsWrong, match=r"db: SQLite has .*order-1.*, the model"):
        shop().live(charge)


# What a learner's code can do


def worker(body):
    names = {}
    exec(textwrap.dedent(body), names)
    return names["worker"]


def mistake(function, **named):
    with pytest.raises(Mistake) as raised:
        Scenario(db=Database(), **named).live(function)
    return str(raised.value)


def test_a_worker_that_ends_its_own_process_is_told_so():
    ending = worker("import os\ndef worker(db):\n    if (yield db.read('a')) is None:\n        os._exit(3)\n")
    system = system_of(Scenario(db=Database({"a": None})), ending)
    told = pytest.raises(Mistake, match=r"ended without a word: does it call os\._exit")
    with told, Processes(system, fills=False) as processes, LiveMachine(system, processes) as machine:
        machine.perform(Transition("step", "A"))


def test_an_error_of_the_worker_s_own_is_an_outcome():
    trace = Scenario(db=Database()).live(worker("def worker(db):\n    yield db.read('a')\n    1 / 0\n"))
    assert (trace.broken, trace.because[-60:]) == (
        "error", "ZeroDivisionError: division by zero, which is no answer of an operation"[-60:],
    )  # fmt: skip


def test_what_cannot_be_sent_to_another_process_is_named():
    lock = __import__("threading").Lock()

    def guarded(db):
        with lock:
            yield db.read("a")

    assert "guarded cannot be sent to another process" in mistake(guarded)


def test_a_forgotten_yield_gets_its_message():
    function = worker("def worker(db):\n    db.write('a', 1)\n    yield db.read('a')\n")
    assert "was built but not yielded" in mistake(function)


def test_a_failure_and_a_budget_are_not_both(failure):
    with pytest.raises(Mistake, match="not both"):
        shop().live(charge, failure, crashes=1)


# Nothing is left

RUNNING = """
    import os, sys, time
    from simlib.live import Processes
    from simlib.live.machine import LiveMachine
    from simlib.scenario import system_of
    from tests.sample import charge, shop

    system = system_of(shop(), charge, 2)
    with Processes(system, fills=False) as processes, LiveMachine(system, processes) as machine:
        machine.actor("B").stop()
        print(processes.fork_server, *processes.pids, processes.folder, flush=True)
        {then}
"""


def start(then):
    program = textwrap.dedent(RUNNING).format(then=then)
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    *pids, folder = process.stdout.readline().split()
    return process, [int(pid) for pid in pids], Path(folder)


def alive(pid):
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def gone(pids, folder):
    """Whether all of it is gone, soon."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not any(map(alive, pids)) and not folder.exists():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("platform", "why"), [("emscripten", "A browser has no processes"), ("win32", "on Windows, WSL")]
)
def test_where_processes_cannot_be_killed_live_says_so_and_what_works_instead(monkeypatch, platform, why):
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(NotHere, match=rf"^(?s:.*){why}.*`replay` shows the same schedule on the model\.$"):
        shop().live(charge)


def test_a_browser_s_notebook_prints_that_sentence_and_leaves_only_the_cell(monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "emscripten")
    shell = InteractiveShell()
    shell.user_ns.update(shop=shop, charge=charge)
    tracebacks = []
    monkeypatch.setattr(shell, "_showtraceback", lambda *what: tracebacks.append(what))
    assert isinstance(shell.run_cell("shop().live(charge)\nprint('not reached')").error_in_exec, NotHere)
    assert capsys.readouterr() == (f"{NO_PROCESSES['emscripten']} {INSTEAD}\n", "")
    shell.run_cell("1 / 0")
    assert [kind for kind, *_ in tracebacks] == [ZeroDivisionError]  # what is wrong is still shown as wrong


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="live needs POSIX processes")
linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")


@linux
def test_a_killed_kernel_leaves_no_process_and_no_file():
    process, pids, folder = start("time.sleep(60)")
    assert all(map(alive, pids)) and folder.exists()
    process.kill()
    assert gone(pids, folder)
    process.communicate()


@linux
def test_a_killed_fork_server_takes_everybody_with_it_and_the_kernel_cleans_up():
    process, pids, folder = start(f"os.kill(processes.fork_server, {signal.SIGKILL.value}); processes.ask('observer')")
    _, errors = process.communicate(timeout=PATIENCE)
    assert "the process that looks after the run has been killed" in errors
    assert gone(pids, folder)


@linux
def test_an_interrupted_cell_leaves_nothing():
    process, pids, folder = start("while True: machine.facts()")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert gone(pids, folder)


def test_an_interrupted_run_keeps_what_has_happened(monkeypatch):
    def interrupted(machine, budget, seed):
        yield Transition("step", "A")
        raise KeyboardInterrupt

    monkeypatch.setattr("simlib.live.chaos", interrupted)
    trace = shop().live(charge)
    assert [event.op.name for event in trace.events] == ["inbox.receive"]
    assert trace.note.startswith("Interrupted by you. For real: ")


@linux
def test_a_run_that_ended_well_leaves_nothing(failure):
    process, pids, folder = start("pass")
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert gone(pids, folder)


def test_a_small_disk_is_unmounted_for_everybody():
    mounts = Path("/proc/self/mounts")
    before = mounts.read_text() if mounts.exists() else ""
    Scenario(disk=Disk({"state": "old"}, capacity=9), eventually=[state_is_there]).live(save)
    assert (mounts.read_text() if mounts.exists() else "") == before
    assert not list(Path(tempfile.gettempdir()).glob(f"midflight-*{os.getpid()}*"))
