"""Names and values can be any text. None breaks a picture, or gives orders to whoever shows it."""

import enum
import json
import linecache
import re
import unicodedata
import warnings
from xml.etree import ElementTree

import pytest

from simlib import Clock, Database, Disk, Lock, Queue, Scenario, Service, audit, compare, lanes
from simlib.course import crash_rate_slider, crash_slider, workers_slider
from simlib.errors import Mistake
from simlib.text import bare, name_of, printable, show
from simlib.types import Picture
from simlib.views import (
    board,
    crash_strip,
    failure_matrix,
    interleaving_map,
    load_curve,
    player,
    price_tag,
    survival_curve,
)

ODD = {
    "a lone surrogate": "a\ud800b",
    "a surrogate of a file's name": "a\udcffb",
    "an order to a terminal": "\x1b[2J\x1b]0;owned\x07",
    "one in a byte": "\x9b31m",
    "nothing": "a\0b",
    "a turn": "a\u202eb",
    "an end of lines": "a\r\n\v\f\x85\u2028\u2029b",
    "what XML forbids": "a\x01\x08\x0b\x1f\ufffe\uffffb",
    "markup": "</text></svg>]]><script>alert(1)</script>&amp;&\"'",
    "a formula": r"$\frac$ and $",
    "a backslash": "\\",
}
ALL = " ".join(ODD.values())  # at once, for what takes long
CONTROLS = [*map(chr, range(32)), *map(chr, range(127, 160)), *map(chr, range(0xD800, 0xE000, 97)), "\u200b", "\ufeff"]


@pytest.fixture(params=ODD)
def odd(request):
    return ODD[request.param]


def clean(text):
    """That any terminal, file and notebook takes it."""
    text.encode()
    assert all(one.isprintable() or one == "\n" or unicodedata.category(one) == "Zs" for one in text), ascii(text)
    return text


def well_formed(html):
    """That every picture within is XML, and all of it text."""
    html.encode()
    assert all(unicodedata.category(one) not in ("Cc", "Cs", "Cf") or one in "\n\t" for one in html), ascii(html)
    without = re.sub(r"<(script|style)\b.*?</\1>", "", html.removeprefix("<!DOCTYPE html>\n"), flags=re.S)
    without = re.sub(r"<meta [^>]*>", "", without).replace("&nbsp;", " ")
    ElementTree.fromstring(f"<body>{without}</body>")


def looked_at(view):
    """In every form that it has."""
    clean(repr(view))
    bundle = view._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    json.dumps({name: part for name, part in data.items() if name != "image/png"}, ensure_ascii=False).encode()
    json.dumps(metadata, ensure_ascii=False).encode()
    clean(data["text/plain"])
    if "text/html" in data:
        well_formed(data["text/html"])
    picture = getattr(view, "picture", view)
    if isinstance(picture, Picture):
        well_formed(picture.svg())


def renamed(function, name):
    function.__name__ = name
    return function


def a_world(text, *, in_names=True, in_values=True):
    """Two workers, one that breaks a property and one that does not, in a world full of this text."""
    name, value = (text if named else "plain" for named in (in_names, in_values))

    class Saying:
        def __repr__(self):
            return value

        def __deepcopy__(self, memo):
            return self

    def happy(inbox, bank, db, disk, lock, note):
        message = yield inbox.receive()
        lease = yield lock.acquire(value)
        yield bank.call(value or "charge", message.body)
        yield db.write(value, message.body)
        yield disk.write(value.replace("/", "") or "x", value)
        yield lock.release(lease)
        yield inbox.ack(message)

    def careful(inbox, bank, db, disk, lock, note):
        message = yield inbox.receive()
        lease = yield lock.acquire(value)
        yield bank.call(value or "charge", message.body, idempotency_key=value)
        yield db.write(value, {value: [value], "more": (value,)})
        yield disk.write(value.replace("/", "") or "x", value)
        yield lock.release(lease)
        yield inbox.ack(message)

    def once(bank, db, disk):
        return bank.count(value or "charge") <= 1 and db[value] != value + "!"

    workers = [renamed(happy, name), renamed(careful, name + "2")]
    named = {"inbox": Queue([value]), "bank": Service(), "db": Database({value: value}), "disk": Disk({"x": value}),
             "lock": Lock(), "note": value, name + "'s clock": Clock()}  # fmt: skip
    return Scenario(**named, always=[renamed(once, name)]), *workers


def test_no_text_in_a_world_breaks_a_report_or_a_picture(odd):
    scenario, happy, careful = a_world(odd)
    report = scenario.explore(happy, crashes=1)
    assert report.verdict == "violated"
    clean(str(report))
    clean(str(report.counterexample))
    clean(str(scenario.explore(careful, crashes=1, workers=1)))
    clean(repr(scenario.simulate(happy, crashes_per_day=900, hours=1)))
    clean(repr(lanes(report)))


@pytest.mark.parametrize("odd", [ALL, ODD["a formula"]])
def test_nor_one_that_moves(odd):
    scenario, happy, careful = a_world(odd)
    report = scenario.explore(happy, crashes=1)
    looked_at(lanes(report))
    looked_at(crash_strip(scenario, happy, careful))
    made = player(scenario, happy, careful, failure=report)
    looked_at(made)
    well_formed(made.html(standalone=True))
    looked_at(crash_slider(scenario, happy, careful))


def test_nor_one_that_asks_more():
    scenario, happy, careful = a_world(ALL)
    looked_at(compare(scenario, happy_path=happy, failure_mode=careful, workers=1))
    looked_at(failure_matrix(scenario, happy))
    looked_at(board(scenario, happy))
    looked_at(price_tag(scenario, happy, careful))
    looked_at(crash_rate_slider(scenario, happy, careful, rates=(0, 900), hours=0.1))
    clean(repr(audit(scenario, scenario.always[0].function, careful=careful, broken=[happy], crashes=1, workers=1)))


def test_nor_a_chart():
    scenario, happy, careful = a_world(ALL)
    looked_at(survival_curve(scenario, happy, careful, days=1, runs=2, crashes_per_day=5))
    looked_at(load_curve(scenario, "bank", happy, careful, hours=0.01, capacity={"bank": 5}))


@pytest.mark.parametrize("odd", [ALL])
def test_nor_a_map(odd):
    def write(db):
        yield db.write(odd, 1)
        yield db.read(odd)

    def written(db):
        return db[odd] != 2

    scenario = Scenario(db=Database(), always=[renamed(written, odd)])
    looked_at(interleaving_map(scenario, renamed(write, odd)))
    looked_at(workers_slider(scenario, write, most=2))


def test_an_error_s_text_is_shown_and_obeyed_by_nobody(odd):
    def fails(db):
        yield db.read("x")
        raise ValueError(odd)

    def says(db):
        raise ValueError(odd)

    class Saying(ValueError):
        def __str__(self):
            return odd

        def __repr__(self):
            return odd

    def own(db):
        yield db.read("x")
        raise Saying

    for worker in (fails, own):
        report = Scenario(db=Database()).explore(worker)
        clean(str(report))
        looked_at(lanes(report))
        looked_at(player(Scenario(db=Database()), worker, failure=report))
    with pytest.raises(Mistake) as raised:
        Scenario(db=Database(), always=[says]).explore(fails)
    clean(str(raised.value))
    clean("".join(raised.value._render_traceback_()))


def test_a_mistake_quotes_and_obeys_nobody(odd):
    scenario, happy, _ = a_world(odd)
    for slip in (
        lambda: Scenario(db=Database()).explore(renamed(lambda dbx: (yield), odd)),
        lambda: Scenario(**{odd: Database}),
        lambda: scenario.replay(happy, odd),
        lambda: scenario.explore(happy, **{odd: 1}),
        lambda: scenario.explore(happy, workers={odd + "x": 1}),
        lambda: scenario.but(**{odd + "x": 1}),
        lambda: Scenario(db=Database(), always=odd),
        lambda: scenario.run(happy, odd),
    ):
        with pytest.raises((Mistake, TypeError)) as raised:
            slip()
        if isinstance(raised.value, Mistake):
            clean(str(raised.value))


def test_source_that_cannot_be_read_as_it_is_written_is_shown_as_it_is(odd):
    """A learner reads the code, and a mark that turns it around would show other code than what runs."""
    file = f"<cell {odd}>"
    step = f'    yield db.write("x", 1)  # \u202e {odd}'.replace("\r", "").replace("\n", "")
    linecache.cache[file] = (1, None, ["def work(db):\n", f"{step}\n"], file)
    names = {}
    exec(compile('def work(db):\n    yield db.write("x", 1)\n', "f", "exec"), names)
    work = names["work"]
    try:
        work.__code__ = work.__code__.replace(co_filename=file)
        scenario = Scenario(db=Database(), always=[renamed(lambda db: db["x"] != 1, odd)])
        report = scenario.explore(work)
        clean(str(report))
        looked_at(player(scenario, work, failure=report))
        looked_at(compare(scenario, happy_path=work, failure_mode=work))
    finally:
        del linecache.cache[file]


# How a value is shown


@pytest.mark.parametrize("width", [1, 2, 5, 60, 200])
def test_whatever_is_shown_can_be_printed(odd, width):
    class Saying:
        def __repr__(self):
            return odd * 3

    kind = type(odd.replace("\0", "").encode("utf-8", "ignore").decode() or "x", (), {})
    choices = enum.Enum("Choices", {odd: odd})
    for value in (odd, [odd], {odd: odd}, {odd}, (odd,), Saying(), [Saying()], ValueError(odd), kind(), kind,
                  choices[odd], renamed(lambda: 0, odd), odd.encode("utf-8", "surrogatepass")):  # fmt: skip
        assert clean(show(value, width)).isprintable()
        assert len(show(value, width)) <= width
        clean(bare(value, width))


@pytest.mark.parametrize("one", CONTROLS, ids=ascii)
def test_a_character_that_cannot_be_seen_is_written_as_repr_writes_it(one):
    assert printable(f"a{one}b") == show(KeyError, 60) * 0 + f"a{repr(one)[1:-1]}b"
    assert show(f"a{one}b") == repr(f"a{one}b")
    assert bare(f"a{one}b") == repr(f"a{one}b")[1:-1]


def test_text_in_any_script_stays_as_it_is():
    for text in ("Åsa Öberg", "日本語", "naïve café", "70 %", "🙂", "a\\n", "שלום", "e\u0301"):
        assert printable(text) == text
    assert printable("a\nb\tc", keep="\n") == "a\nb\\tc"
    assert printable("70\xa0%\u202f\u3000") == "70\xa0%\u202f\u3000"
    assert name_of(renamed(lambda: 0, "日本")) == "日本"


def nested(levels, kind):
    value = kind([1]) if kind is not dict else {1: 1}
    for _ in range(levels):
        value = {"a": value} if kind is dict else kind([value])
    return value


@pytest.mark.parametrize("kind", [list, tuple, dict])
def test_what_is_nested_deep_is_shown_as_far_as_there_is_room(kind):
    assert len(show(nested(100_000, kind))) == 60
    assert show(nested(100_000, kind), 400).endswith("…") or len(show(nested(100_000, kind), 400)) < 400


def test_what_holds_itself_and_what_shares_its_parts_is_shown_at_once():
    own = []
    own.append(own)
    assert show(own) == "[" * 59 + "…"
    many = "x"
    for _ in range(100):
        many = [many] * 60
    assert show(many) == "[" * 59 + "…"
    few = ["x"]
    for _ in range(50):
        few = [few, few]
    assert len(show(few, 200)) <= 200


@pytest.mark.parametrize("value, width, text", [
    (["a" * 100, "b"], 20, '["aaaaaaaaaaaaaaaaa…'),
    ([1, 2, 3], 60, "[1, 2, 3]"),
    ([1, 2, 3], 5, "[1, …"),
    ({"a": [1, {"b": 2}]}, 60, '{"a": [1, {"b": 2}]}'),
    ((), 60, "()"),
    ((1,), 60, "(1,)"),
    (list(range(1000)), 20, "[0, 1, 2, 3, 4, 5, …"),
    (["a" * 30] * 4, 200, '["' + '", "'.join(["a" * 30] * 4) + '"]'),
    (["a" * 100], 200, '["' + "a" * 58 + "…]"),
    ("a" * 100, 60, '"' + "a" * 58 + "…"),
])  # fmt: skip
def test_what_is_too_long_is_cut_where_it_is(value, width, text):
    assert show(value, width) == text


def test_a_picture_of_money_needs_no_formula(tmp_path):
    """Between two `$` matplotlib sees a formula, and refuses one that makes no sense."""
    scenario, happy, _ = a_world(r"$\nosuch$")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lanes(scenario.run(happy)).save(str(tmp_path / "money.pdf"))
    assert (tmp_path / "money.pdf").read_bytes().startswith(b"%PDF")
