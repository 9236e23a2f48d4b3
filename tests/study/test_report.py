"""The report: everything measured is in it, it needs nothing else, and it is the same every time."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from baonet.cli.main import main
from baonet.study import pictures
from baonet.study.choice import layout
from baonet.study.conduct import describe, prepare, stored
from baonet.study.drawings import default_plots, draw
from baonet.study.metrics.base import Key, Measured
from baonet.study.origin import origin
from baonet.study.plan import Alternative, Axis, MetricSpec, PlotSpec, Study, alternative
from baonet.study.report import drawn, page
from baonet.study.results import Results, results
from baonet.study.store import Store, StoredRun
from baonet.study.tables import percent

METRICS = (
    MetricSpec("one way", "ipc-latency"),
    MetricSpec("stages", "interrupt-latency"),
    MetricSpec("speed", "throughput"),
    MetricSpec("share", "time-share"),
    MetricSpec("matrix", "messages"),
    MetricSpec("exits", "exits"),
    MetricSpec("boot", "console-time"),
    MetricSpec("nothing", "numbers"),
)
VIRTUAL = {"mode": "virtual", "platform": "p", "mhz": 1000, "deliveries": {"exact": 9, "late": 1, "latest": 5}}


def measured(scale: float) -> dict[str, Measured]:
    found = {spec.name: Measured("") for spec in METRICS}
    found["one way"].unit = found["stages"].unit = found["boot"].unit = "ns"
    found["speed"].unit = "B/s"
    for n in range(50):
        for pair in (("ping", "pong"), ("pong", "<b>")):
            found["one way"].add(pair, 1000 * scale + n)
        for at, stage in enumerate(("raised to pending", "pending to delivered", "delivered to acknowledged")):
            found["stages"].add(("ping", "84", "IPC", stage), 10 * at + n)
        found["stages"].add(("ping", "84", "IPC", "raised to acknowledged"), 100 + n)
        for size in (64, 1024, 65536):
            found["speed"].add(("ping", str(size)), size * scale * 1e6)
    shares: dict[Key, float] = {
        ("ping", "0", "guest"): 0.25,
        ("ping", "0", "hypervisor"): 0.5,
        ("ping", "0", "off"): 0.25,
    }
    found["share"].values.update(shares)
    found["matrix"].values.update({("ping", "pong", "IpcNotify"): 7 * scale, ("pong", "ping", "IpcNotify"): 3})
    found["exits"].values.update({("ping", "hvc"): 5 * scale, ("ping", "wfi"): 6})
    found["boot"].values["ping",] = 1e9 * scale
    found["one way"].note("lost <things>", 3)
    return found


def save(path: Path, study: Study, rows: list[StoredRun]) -> Path:
    with Store(path, write=True) as store:
        store.describe(describe(study), [stored(point) for point in study.points()])
        for row in rows:
            store.save(row)
    return path


def study(axes: tuple[Axis, ...], plots: tuple[PlotSpec, ...] | None = None, repeats: int = 2) -> Study:
    return Study(
        Path("s.yaml"), Path("m.yaml"), axes, repeats=repeats, metrics=METRICS, plots=plots, title="A <study>",
        description="First.\n\nSecond & last.", expected="It grows.",
    )  # fmt: skip


LATENCY = Axis("clock.latency.ipc", tuple(alternative("clock.latency.ipc", value) for value in ("500ns", "1us", "2us")))
PLACEMENT = Axis("run.placement", tuple(alternative("run.placement", value) for value in ("one-process", "other")))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    plan = study((PLACEMENT, LATENCY))
    rows = [
        StoredRun(
            run.point, run.seed, run.repeat, True, "", f"{run.point % 3:064x}", VIRTUAL, measured(1 + run.point % 3)
        )
        for run in plan.runs()
    ]
    return save(tmp_path / "r.sqlite", plan, rows)


def read(path: Path) -> Results:
    with Store(path, write=False) as store:
        return results(store)


class Page(HTMLParser):
    """Complains of what does not nest, of ids that are there twice, and of what is fetched from elsewhere."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.references: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            assert name not in ("src", "onclick"), (tag, attrs)
            if name in ("href", "xlink:href"):
                assert value is not None
                assert value.startswith("#")
                self.references.add(value[1:])
            if name == "id":
                assert value is not None
                assert value not in self.ids
                self.ids.add(value)
            self.references.update(re.findall(r"url\(#([^)]*)\)", value or ""))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(text: str) -> Page:
    found = Page()
    found.feed(text)
    found.close()
    assert not found.open
    assert found.references <= found.ids
    return found


def test_the_page_is_whole_and_alone(path: Path) -> None:
    found = read(path)
    with pictures.style():
        text = page(found, drawn(found))
    whole = parsed(text)
    for words in (
        "A <study>", "Second & last.", "It grows.", "clock.latency.ipc 500ns", "IpcNotify", "12 of 12 done",
        "over everything that happened", "9 of 10", "lost <things>", "raised to pending", "Nothing was measured.",
    ):  # fmt: skip
        assert words in whole.text, words
    assert "<b>" not in text.replace("<b>Expected:</b>", "")
    assert "http" not in re.sub(r"xmlns(:\w+)?=\"[^\"]*\"", "", text)
    assert pictures.INK not in text
    assert "var(--series-0)" in text


def test_the_same_results_give_the_same_page(path: Path) -> None:
    found = []
    for _ in range(2):
        with pictures.style():
            found.append(page(read(path), drawn(read(path))))
    assert found[0] == found[1]


def test_repeats_and_placements_add_no_samples(path: Path) -> None:
    found = read(path)
    assert len(found.rows) == 12
    assert found.shown == {0: "clock.latency.ipc 500ns", 1: "clock.latency.ipc 1us", 2: "clock.latency.ipc 2us"}
    assert found.metric("one way").samples["ping", "pong"][0].count == 50
    assert not found.disagreements


def test_seeds_are_pooled(tmp_path: Path) -> None:
    plan = Study(Path("s"), Path("m"), (), seeds=({"a": 1}, {"a": 2}), repeats=2, metrics=METRICS, plots=())
    rows = [
        StoredRun(0, run.seed, run.repeat, True, "", str(run.seed), VIRTUAL, measured(1 + run.seed))
        for run in plan.runs()
    ]
    found = read(save(tmp_path / "r.sqlite", plan, rows))
    pooled = found.metric("one way").samples["ping", "pong"][0]
    assert (pooled.count, pooled.least, pooled.greatest) == (100, 1000, 2049)
    assert found.metric("boot").values["ping",][0] == [1e9, 2e9]
    with pictures.style():
        assert "1 s to 2 s" in parsed(page(found, drawn(found))).text


def test_under_the_hosts_clock_every_run_counts(tmp_path: Path) -> None:
    plan = study((), ())
    rows = [
        StoredRun(0, 0, repeat, True, "", "", VIRTUAL | {"mode": "host"}, measured(1 + repeat)) for repeat in range(2)
    ]
    found = read(save(tmp_path / "r.sqlite", plan, rows))
    assert found.metric("one way").samples["ping", "pong"][0].count == 100
    with pictures.style():
        assert "followed the host's clock" in parsed(page(found, drawn(found))).text


def test_many_points_are_rows(tmp_path: Path) -> None:
    axis = Axis("n", tuple(alternative("n", n) for n in range(12)))
    rows = [StoredRun(n, 0, 0, True, "", str(n), VIRTUAL, {"boot": measured(n)["boot"]}) for n in range(12)]
    found = read(save(tmp_path / "r.sqlite", study((axis,), (), repeats=1), rows))
    with pictures.style():
        text = page(found, drawn(found))
    assert '<td class="text">n 11</td><td>11 s</td>' in text
    parsed(text)


def test_what_must_not_be_is_said_first(tmp_path: Path) -> None:
    plan = study((LATENCY,), ())
    rows = [StoredRun(0, 0, repeat, True, "", str(repeat) * 64, VIRTUAL, measured(1)) for repeat in range(2)]
    rows.append(StoredRun(1, 0, 0, False, "status 3: VM 'ping' <died>"))
    file = save(tmp_path / "r.sqlite", plan, rows)
    found = read(file)
    with pictures.style():
        text = parsed(page(found, drawn(found))).text
    for words in ("This must not be.", "digests 000000000000, 111111111111", "4 runs are missing", "VM 'ping' <died>"):
        assert words in text
    assert main(["report", str(file), "-o", str(tmp_path / "r.html")]) == 1


def test_what_is_along_x(path: Path) -> None:
    found = read(path)
    one_way = found.metric("one way")
    placed = layout(found, one_way, PlotSpec("one way", "percentiles"))
    assert (placed.axis, placed.unit) == ("clock.latency.ipc", "ns")
    assert [each.label for each in placed.series] == ["ping to pong", "pong to <b>"]
    assert [x for x, _, _ in placed.series[0].at] == [500, 1000, 2000]
    placed = layout(found, found.metric("speed"), PlotSpec("speed", "percentiles", axis="id"))
    assert [x for x, _, _ in placed.series[0].at] == [64, 1024, 65536]
    assert len(placed.series) == 3


def test_without_magnitudes_points_are_along_x(tmp_path: Path) -> None:
    axis = Axis("delivery", (Alternative("mediated", {}), Alternative("direct", {"a": 1})))
    rows = [StoredRun(n, 0, 0, True, "", str(n), VIRTUAL, measured(1 + n)) for n in range(2)]
    found = read(save(tmp_path / "r.sqlite", study((axis,), repeats=1), rows))
    placed = layout(found, found.metric("one way"), PlotSpec("one way", "percentiles", only="ping to"))
    assert (placed.axis, placed.ticks) == (None, ("delivery mediated", "delivery direct"))
    assert len(placed.series) == 1
    placed = layout(found, found.metric("speed"), PlotSpec("speed", "percentiles"))
    assert placed.axis == "id"


def test_every_kind_of_picture_of_every_metric(path: Path) -> None:
    found = read(path)
    with pictures.style():
        for metric in found.metrics:
            for kind in metric.entry.plots:
                picture = draw(found, metric, PlotSpec(metric.name, kind, log=True, title="A title"))
                assert (picture is None) == (metric.name == "nothing")
                if picture is not None:
                    ElementTree.fromstring(pictures.svg(picture))


@pytest.mark.parametrize("samples", [[5.0], [5.0, 5.0], [0.0], [0.0, 1e12], [1e-3, 1e9], [-5.0, 5.0]])
def test_odd_distributions_can_be_drawn(tmp_path: Path, samples: list[float]) -> None:
    odd = Measured("ns")
    for sample in samples:
        odd.add(("a", "b"), sample)
    rows = [StoredRun(0, 0, 0, True, "", "d", VIRTUAL, {"one way": odd})]
    found = read(save(tmp_path / "r.sqlite", study((), repeats=1), rows))
    metric = found.metric("one way")
    with pictures.style():
        for spec in default_plots(metric):
            picture = draw(found, metric, spec)
            assert picture is not None
            assert pictures.svg(picture)


def test_the_command_writes_pages_and_pictures(tmp_path: Path) -> None:
    plots = tuple(PlotSpec(*each) for each in (("one way", "cdf"), ("matrix", "heatmap"), ("stages", "stages")))
    rows = [StoredRun(0, 0, 0, True, "", "d", VIRTUAL, measured(1))]
    path = save(tmp_path / "r.sqlite", study((), plots, repeats=1), rows)
    out = tmp_path / "out"
    assert main(["report", str(path), "-o", str(tmp_path / "r.html"), "--svg", str(out), "--png", str(out)]) == 0
    parsed((tmp_path / "r.html").read_text())
    names = {file.name for file in out.iterdir()}
    assert {"r-one-way-cdf.svg", "r-one-way-cdf.png", "r-matrix-heatmap.svg", "r-stages-stages.png"} <= names
    ground = ElementTree.parse(out / "r-one-way-cdf.svg").getroot()
    assert "fill: #ffffff" in ElementTree.tostring(ground, "unicode")


def test_plots_can_be_chosen(tmp_path: Path) -> None:
    plots = (
        PlotSpec("one way", "cdf", only="ping to", title="Mine"),
        PlotSpec("one way", "cdf", only="elsewhere"),
        PlotSpec("one way", "cdf"),
        PlotSpec("nothing", "cdf"),
    )
    rows = [StoredRun(0, 0, 0, True, "", "d", VIRTUAL, measured(1))]
    found = read(save(tmp_path / "r.sqlite", study((), plots, repeats=1), rows))
    with pictures.style():
        made = [picture for each in drawn(found) for picture in each.pictures]
        assert [picture.name for picture in made] == ["one-way-cdf-ping-to", "one-way-cdf"]
        assert made[0].text == "Mine"
        assert "Mine" in page(found, drawn(found))


def test_what_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "absent.sqlite")]) == 2
    assert "absent.sqlite: No such file" in capsys.readouterr().err


def test_without_matplotlib_the_tables_come_and_it_says_what_to_install(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    out = tmp_path / "r.html"
    assert main(["report", str(path), "-o", str(out)]) == 0
    assert "pip install 'baonet[study]'; the page has tables only" in capsys.readouterr().err
    text = out.read_text()
    assert "<svg" not in text
    assert "raised to pending" in parsed(text).text
    assert main(["report", str(path), "-o", str(out), "--svg", str(tmp_path)]) == 2
    assert "pip install 'baonet[study]'" in capsys.readouterr().err


def test_it_says_what_it_wrote(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "r.html"
    assert main(["report", str(path), "-o", str(out), "--svg", str(tmp_path / "svg")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == str(out)
    assert second == f"{len(list((tmp_path / 'svg').iterdir()))} pictures in {tmp_path / 'svg'}"


def test_who_made_the_results_and_the_page(tmp_path: Path) -> None:
    plan = study((), ())
    made = origin(["baonet", "study", "a b.yaml"])
    with Store(tmp_path / "r.sqlite", write=True) as store:
        prepare(plan, store, {}, made)
        store.save(StoredRun(0, 0, 0, True, "", "d", VIRTUAL, measured(1)))
    with pictures.style():
        text = parsed(page(read(tmp_path / "r.sqlite"), [], origin(["baonet", "report"]))).text
    for words in (f"baonet {made['baonet']}", made["date"], made["host"], "baonet study 'a b.yaml'", "baonet report"):
        assert words in text


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    plan = study((LATENCY,), ())
    rows = [
        StoredRun(0, 0, 0, True, "", "d", VIRTUAL, measured(1)),
        StoredRun(1, 0, 0, True, "", "e", VIRTUAL, measured(1)),
    ]
    rows.append(StoredRun(1, 0, 1, True, "", "e", VIRTUAL, measured(1)))
    with pictures.style():
        text = parsed(page(read(save(tmp_path / "r.sqlite", plan, rows)), [])).text
    assert "3 runs are missing" in text
    assert "clock.latency.ipc 500ns: seed 0 repeat 1" in text
    assert "clock.latency.ipc 2us: every run, so this point is in no table and no picture" in text
    assert "clock.latency.ipc 1us: seed" not in text


def test_curves_that_coincide_are_one_with_both_names(tmp_path: Path) -> None:
    axis = Axis("n", tuple(alternative("n", n) for n in range(3)))
    rows = [StoredRun(n, 0, 0, True, "", str(n), VIRTUAL, measured(1 if n < 2 else 2)) for n in range(3)]
    found = read(save(tmp_path / "r.sqlite", study((axis,), (), repeats=1), rows))
    with pictures.style():
        for kind in ("cdf", "histogram"):
            picture = draw(found, found.metric("one way"), PlotSpec("one way", kind, only="ping to"))
            assert picture is not None
            text = pictures.svg(picture)
            assert ">n 0 = n 1<" in text
            assert ">n 2<" in text


def test_a_small_part_is_not_none() -> None:
    told = {0.0: "0.0 %", 1.0: "100.0 %", 0.4567: "45.7 %", 0.001: "0.1 %", 0.00034: "0.03 %", 0.00002: "0.002 %"}
    assert {part: percent(part) for part in told} == told
