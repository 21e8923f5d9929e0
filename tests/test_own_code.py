"""The checker in somebody's own test suite, and what the template notebook says is so, asked of its own code."""

import ast
import itertools
import warnings

import pytest

from simlib import Database, Scenario
from simlib.errors import DoesNotHold, Unfinished
from tests.lessons import cell, definitions, notebook, run, source, survivors, with_text
from tests.own_suite import failure, pytest_says
from tests.sample import charge, charge_once, shop

ALL_FAULTS = {"crashes": 1, "redeliveries": 1, "lost_replies": 1, "outages": 1, "rejections": 1}


def said(report, kind=DoesNotHold):
    with pytest.raises(kind) as caught:
        report.assert_holds()
    assert caught.type is kind
    return str(caught.value)


def read(db):
    yield db.read("x")


# assert_holds


def test_it_is_quiet_about_what_holds():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert shop().explore(charge_once).assert_holds() is None


def test_it_says_what_the_report_says_and_how_to_play_it_again():
    report = shop().explore(charge, crashes=1)
    *lines, again = said(report).splitlines()
    assert lines == str(report).splitlines()[:-1]
    assert again == f'Again: scenario.replay(charge, "{report.token}")'


def test_the_call_that_it_prints_plays_the_same_failure():
    scenario = shop()
    report = scenario.explore(charge, crashes=1)
    call = said(report).splitlines()[-1].removeprefix("Again: ")
    assert eval(call, {"scenario": scenario, "charge": charge}) == report.counterexample


def test_the_call_names_all_roles():
    def flag(db):
        yield db.write("flag", True)

    def never(db):
        return "flag" not in db

    scenario = Scenario(db=Database(), always=[never])
    report = scenario.explore([read, flag], workers={"read": 2, "flag": 1}, crashes=0)
    call = said(report).splitlines()[-1].removeprefix("Again: ")
    assert call.startswith("scenario.replay([read, flag], ")
    assert eval(call, {"scenario": scenario, "read": read, "flag": flag}).broken == "never"


def test_what_never_came_true_fails_without_a_schedule():
    def there(db):
        return "x" in db

    report = Scenario(db=Database(), sometimes=[there]).explore(read, crashes=0)
    assert said(report).startswith("violated: there (sometimes) never came true")


def test_unfinished_is_an_error_and_says_what_to_lower():
    message = said(shop().explore(charge_once, crashes=2, max_states=10), Unfinished)
    assert message.startswith("unfinished: stopped at 10 states, 10 states visited;")
    assert "lower workers=2 or crashes=2" in " ".join(message.split())
    assert "Again" not in message


def test_unfinished_says_what_to_do_where_no_bound_can_be_lowered():
    report = Scenario(db=Database()).explore(read, crashes=0, max_states=1)
    assert report.sentence.endswith(
        "To finish, give it less to do: fewer messages, fewer steps, or raise max_states and max_seconds"
    )


def test_what_was_not_put_to_the_test_passes_with_a_warning_at_the_line_of_the_test():
    with pytest.warns(UserWarning, match="holds, but no property was asked") as caught:
        Scenario(db=Database()).explore(read, crashes=0).assert_holds()
    assert [warning.filename for warning in caught] == [__file__]


def test_jupyter_shows_the_message_alone():
    assert DoesNotHold("violated: that.")._render_traceback_() == ["DoesNotHold: violated: that."]


# What pytest shows

PROGRAM = """
from simlib import Database, Scenario

def forgets(db):
    db.read("x")
    yield db.read("y")

def misnamed(dbx):
    yield dbx.read("x")

def test_own():
    Scenario(db=Database()).explore({}).assert_holds()
"""


@pytest.mark.parametrize(
    "worker, message",
    [
        ("forgets", 'forgets, line 5: `db.read("x")` was built but not yielded'),
        ("misnamed", "misnamed, line 8: it asks for `dbx`, and the scenario has db and me."),
    ],
)
def test_a_mistake_in_a_test_is_its_message_below_the_line_of_the_test(tmp_path, worker, message):
    lines = pytest_says(tmp_path, PROGRAM.format(worker))
    shown = [line for line in failure(lines).splitlines() if set(line) - {" ", "^"}]
    assert shown[:2] == [
        "    def test_own():",
        f">       Scenario(db=Database()).explore({worker}).assert_holds()",
    ]
    assert shown[2].startswith(f"E       simlib.errors.Mistake: {message}") and len(shown) == 3
    assert not any("simlib/scenario" in line or "simlib/check" in line for line in lines)


def test_a_scenario_that_cannot_work_shows_no_line_of_simlib(tmp_path):
    program = "from simlib import Scenario, Queue\n\ndef test_own():\n    Scenario(inbox=Queue)\n"
    lines = pytest_says(tmp_path, program)
    assert "E       simlib.errors.Mistake: inbox=Queue: write inbox=Queue(), with the brackets." in lines
    assert not any("simlib/scenario" in line for line in lines)


# The template


@pytest.fixture(scope="module")
def own():
    return definitions("your")


def test_the_job_is_python_of_at_most_twenty_lines_and_each_line_of_the_table_is_in_it():
    job = cell("your", "job").split("```python\n")[1].split("```")[0]
    ast.parse(job)
    assert len([line for line in job.splitlines() if line.strip()]) <= 20
    rows = [line.split("|")[1] for line in cell("your", "translate").splitlines() if line.startswith("| ")][1:-1]
    named = [name for row in rows for name in row.split("`")[1::2]]
    assert len(named) == 10
    assert [name for name in named if name.replace("(...)", "(").rstrip(")") not in job] == []


def test_the_worker_has_a_step_for_each_row_of_the_table_with_a_yield(own):
    told = cell("your", "translate").count("| `yield ")
    assert told == len(own["night"].run(own["send_payouts"]).events) == 4


def test_without_a_fault_it_holds_so_a_unit_test_sees_nothing(own):
    own["night"].explore(own["send_payouts"], workers=1, crashes=0).assert_holds()


@pytest.mark.parametrize("bounds", [{"crashes": 1}, {"workers": 2, "crashes": 0}, {"lost_replies": 1}])
def test_the_job_pays_twice(own, bounds):
    assert own["night"].explore(own["send_payouts"], **bounds).claim == "nobody_is_paid_twice"


def test_a_key_alone_uncovers_the_missing_statement_and_the_refusal_that_never_ends(own):
    night, keyed = own["night"], own["send_payouts_keyed"]
    night.explore(keyed, workers=2, crashes=0).assert_holds()
    assert night.explore(keyed, workers=2, crashes=1).claim == "a_statement_for_each_transfer"
    assert night.explore(keyed, rejections=1).claim == "livelock"


def test_the_mended_job_holds_under_two_of_each_fault_and_three_workers(own):
    twice = dict.fromkeys(ALL_FAULTS, 2)
    own["night"].explore(own["send_payouts_once"], workers=2, **twice, max_seconds=120).assert_holds()
    own["night"].explore(own["send_payouts_once"], workers=3, **ALL_FAULTS, max_seconds=120).assert_holds()


def test_no_line_of_the_mended_job_can_be_taken_out_or_swapped(own):
    assert survivors(own["night"], own["send_payouts_once"], workers=2, **ALL_FAULTS) == set()


@pytest.mark.parametrize(
    "before, after",
    [
        (', idempotency_key="payout-1"', ""),
        ('idempotency_key="payout-1"', "idempotency_key=me"),
        ("except Rejected:", "except Exception:"),
    ],
)
def test_a_wrong_word_in_the_mended_job_is_caught(own, before, after):
    mutant = with_text(with_text(own["send_payouts_once"], "s3)", "s3, me)"), before, after)
    assert own["night"].explore(mutant, workers=2, **ALL_FAULTS).verdict == "violated"


def test_a_job_that_does_nothing_does_not_pass(own):
    def idle(db):
        yield db.read("payout-1")

    assert own["night"].explore(idle, crashes=0).claim == "nothing_stays_due"


def test_its_test_passes_in_pytest_and_fails_with_the_job_of_today(own, tmp_path):
    parts = [cell("your", name) for name in ("imports", "worker", "scenario", "once", "test")]
    program = "\n\n".join(parts).replace("compare(", "# compare(").rpartition("\n\n")[0]  # without the call of the test
    assert pytest_says(tmp_path, program)[-1].startswith("1 passed")
    red = pytest_says(tmp_path, program.replace("explore(send_payouts_once", "explore(send_payouts"))
    assert red[-1].startswith("1 failed")
    assert 'Again: scenario.replay(send_payouts, "' in failure(red)


def test_its_last_cell_prints_the_failure():
    names = definitions("your")
    printed = []
    run(cell("your", "red"), {**names, "print": printed.append}, "<red>")
    (failure,) = printed
    assert str(failure).startswith("violated: nobody_is_paid_twice, with 1 lost reply")


def test_the_template_is_no_lesson_and_short():
    cells = notebook("your")["cells"]
    template = itertools.takewhile(lambda cell: cell["id"] != "recipes", cells)
    assert source(cells[0]).startswith("# Your own code\n")
    assert sum(cell["cell_type"] == "code" for cell in template) <= 12


@pytest.mark.parametrize("recipe", ["replica", "failover", "cache", "rollout", "cron", "batch"])
def test_a_recipe_shows_what_goes_wrong_and_a_version_that_holds(own, recipe):
    printed = []
    run(cell("your", f"recipe-{recipe}"), {**own, "print": printed.append}, f"<{recipe}>")
    assert [str(sentence).partition(":")[0] for sentence in printed] == ["violated", "holds"]
