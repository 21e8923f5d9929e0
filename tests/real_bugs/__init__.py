"""Bugs that people reported, redrawn in the order of their source: each is found, and the published fix holds.

No code and no wording of a report is here. Read it at its address, which stands in the test's docstring.
"""

BOUNDS = {"max_states": 100_000, "max_seconds": None}  # a verdict that does not depend on the machine
NO_FAULT = {"crashes": 0}
HARDER = [NO_FAULT, {"crashes": 2}, {"crashes": 1, "redeliveries": 1}, {"outages": 1}, {"lost_replies": 1}]


def found(scenario, worker, claim, **faults):
    """It breaks this claim, and takes just these faults; none if none is named. Returns the counterexample."""
    report = scenario.explore(worker, **BOUNDS, **(faults or NO_FAULT))
    assert (report.verdict, report.claim) == ("violated", claim), report
    if report.counterexample is not None:
        assert len(report.counterexample.faults) == sum(faults.values()), report
    return report.counterexample


def holds(scenario, worker, *budgets):
    """It holds under each of these budgets, and each fault among them had a place to strike."""
    for budget in budgets or HARDER:
        report = scenario.explore(worker, **BOUNDS, **budget)
        assert (report.verdict, report.vacuous) == ("holds", ""), report


def survives(scenario, worker, trace):
    """The schedule that broke another implementation does not break this one."""
    replayed = scenario.replay(worker, trace)
    assert replayed.broken is None, replayed
