"""A folder is folded to what the log is, as of any moment, in one process or in many."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, nullcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serverdomain.domain import moment
from serverdomain.errors import InvalidInput, Refused, StoreDamaged, StoreError
from serverdomain.store.opening import open_log
from tests.adapters.exchange.logs import rows
from tests.analysis import functions
from tests.audit.world import SERVERS, World, as_of, bounds, deeds, folded

pytestmark = pytest.mark.heavy
pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: make test-all")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: make test-all")

from serverdomain import analysis  # noqa: E402
from serverdomain.analysis import writing  # noqa: E402
from serverdomain.analysis.columns import batch_of  # noqa: E402
from serverdomain.analysis.manifest import Manifest  # noqa: E402
from serverdomain.analysis.states import table_of  # noqa: E402
from serverdomain.errors import StoreLocked  # noqa: E402


def saved(world, path):
    """The log of a world as a file."""
    log = open_log(path)
    with log.bulk() as written:
        written.append_rows(rows(world.cloud.store))
    log.close()


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(some=deeds, data=st.data())
def test_any_log_is_folded_to_its_servers_as_of_any_moment(tmp_path_factory, some, data):
    folder = tmp_path_factory.mktemp("world")
    with World(some) as world:
        saved(world, folder / "cloud.db")
        analysis.write(folder / "cloud.db", folder / "parquet")
        until = data.draw(st.just({}) | bounds(world.rows()), "until")
        found = analysis.fold(folder / "parquet", as_of=as_of(**until) if until else None)
        there = [folded(world.rows(), server_id, **until) for server_id in SERVERS]
    expected = table_of(sorted((one.id, one) for one in there if one is not None))
    assert found.filter(pa.compute.invert(found.column("deleted"))).to_pylist() == (
        expected.to_pylist()
    )


def test_every_bucket_holds_whole_histories_in_their_order(path, folder):
    manifest = Manifest.read(folder)
    seen: set[str] = set()
    count = 0
    for bucket in manifest.buckets:
        table = pq.read_table(folder / bucket.file)
        order = [
            (row["server_id"], row["occurred_at"], row["position"]) for row in table.to_pylist()
        ]
        assert order == sorted(order)
        servers = {server_id for server_id, *_ in order}
        assert not servers & seen
        assert (bucket.events, bucket.servers) == (len(order), len(servers))
        seen |= servers
        count += len(order)
    with closing(open_log(path, create=False)) as log, log.reading() as reading:
        assert manifest.events == count == reading.count()
        assert manifest.position == reading.head()
        assert manifest.log_id == reading.log_id()


def test_an_event_has_all_that_the_log_says_of_it(path, folder):
    manifest = Manifest.read(folder)
    found = [
        row for one in manifest.buckets for row in pq.read_table(folder / one.file).to_pylist()
    ]
    found.sort(key=lambda row: row["position"])
    with closing(open_log(path, create=False)) as log:
        for row, told in zip(rows(log), found, strict=True):
            assert told["topic"] == row[3]
            assert told["event"] == row[3].split(":")[1]
            assert (told["data"], told["members"]) == (row[4], row[8])
            assert (told["request_id"], told["user_id"]) == (row[12], row[9])
            assert told["roles"] == json.loads(row[11])
            assert moment.to_micros(told["occurred_at"]) == row[15]
            assert moment.to_micros(told["recorded_at"]) == row[16]
            assert told["refused"] == bool(row[17])


@pytest.mark.parametrize(
    "function", [functions.without_failures, functions.renames, functions.counted]
)
def test_processes_and_threads_give_what_this_process_gives(folder, function):
    here = analysis.fold(folder, function)
    with ProcessPoolExecutor(2) as processes:
        assert analysis.fold(folder, function, processes).equals(here)
    with ThreadPoolExecutor(2) as threads:
        assert analysis.fold(folder, function, threads).equals(here)
    assert here.column("server_id").to_pylist() == sorted(here.column("server_id").to_pylist())


def test_a_function_of_ones_own_may_give_anything(folder):
    counts = analysis.fold(folder, functions.counted)
    assert counts.column_names == ["server_id", "value"]
    with_refusals = sum(bucket.events for bucket in Manifest.read(folder).buckets)
    assert 0 < sum(counts.column("value").to_pylist()) <= with_refusals
    names = analysis.fold(folder, functions.renames).to_pylist()
    assert all(isinstance(json.loads(row["names"]), list) for row in names)
    failed = analysis.fold(folder).column("status").to_pylist().count("ERROR")
    assert (
        analysis.fold(folder, functions.without_failures)
        .column("status")
        .to_pylist()
        .count("ERROR")
        < failed
    )


def test_servers_as_of_a_moment_stand_beside_the_events(path, folder, tmp_path):
    assert pq.read_table(folder / "servers.parquet").equals(analysis.fold(folder))
    analysis.write(path, tmp_path / "then", servers="position:900")
    then = pq.read_table(tmp_path / "then/servers.parquet")
    assert then.equals(analysis.fold(folder, as_of="position:900"))
    manifest = Manifest.read(tmp_path / "then")
    assert (manifest.servers, manifest.as_of) == ("servers.parquet", "position:900")


def test_a_process_that_ends_is_told_in_words(folder):
    with (
        ProcessPoolExecutor(1) as pool,
        pytest.raises(StoreError, match="ended before it was done"),
    ):
        analysis.fold(folder, functions.ends_its_process, pool)


def test_a_function_that_cannot_be_sent_is_told_in_words(folder):
    with (
        ProcessPoolExecutor(1) as pool,
        pytest.raises(InvalidInput, match=r"function: .*cannot be sent"),
    ):
        analysis.fold(folder, lambda state, event, at: state, pool)


@pytest.mark.parametrize("pool", [None, ProcessPoolExecutor], ids=["here", "elsewhere"])
def test_what_a_function_raises_is_its_own(folder, pool):
    with pool(1) if pool else nullcontext() as elsewhere:
        with pytest.raises(FileNotFoundError, match=r"prices\.csv"):
            analysis.fold(folder, functions.lacks_its_file, elsewhere)
        with pytest.raises(Refused, match="no events here") as refused:
            analysis.fold(folder, functions.refuses, elsewhere)
    assert refused.value.rule == "time"


def test_what_fits_into_no_table_is_the_functions_fault(folder):
    with pytest.raises(InvalidInput, match="function: what it gives fits into no table"):
        analysis.fold(folder, functions.of_two_kinds)


def test_what_is_wrong_is_told_in_words(path, folder, tmp_path):
    with pytest.raises(InvalidInput, match=r"folder: .* cannot be read \(No such file"):
        analysis.fold(tmp_path)
    with pytest.raises(Refused, match="position 10000000 came, the folder ends at position"):
        analysis.fold(folder, as_of="position:10000000")
    with pytest.raises(InvalidInput, match="is there already, a new folder is allowed"):
        analysis.write(path, folder)
    with pytest.raises(InvalidInput, match="cannot be made"):
        analysis.write(path, tmp_path / "no/folder")
    analysis.write(path, tmp_path / "damaged")
    (tmp_path / "damaged/events/0000.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreDamaged, match=r"events/0000.parquet cannot be read"):
        analysis.fold(tmp_path / "damaged")
    whole = pq.read_table(folder / "events/0000.parquet")
    number = whole.schema.get_field_index("data")
    broken = pa.array(["{"] * len(whole))
    edited = whole.set_column(number, whole.schema.field(number), broken)
    pq.write_table(edited, tmp_path / "damaged/events/0000.parquet")
    with pytest.raises(StoreDamaged, match=r"events/0000.parquet cannot be read"):
        analysis.fold(tmp_path / "damaged")


def test_what_a_killed_export_left_is_in_nobodys_way(path, tmp_path):
    (tmp_path / ".out.part/events").mkdir(parents=True)
    (tmp_path / ".out.part/7.arrow").write_bytes(b"half")
    analysis.write(path, tmp_path / "out")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out"]
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["events", "manifest.json"]


def test_one_export_at_a_time_writes_a_folder(path, tmp_path):
    with writing._new_folder(tmp_path / "out"), pytest.raises(StoreLocked, match="another export"):
        analysis.write(path, tmp_path / "out")
    assert not (tmp_path / ".out.part").exists()


def test_a_damaged_row_is_told_by_its_positions(tmp_path):
    with World() as world:
        (row,) = rows(world.cloud.store)
    log = open_log(tmp_path / "cloud.db")
    with log.bulk() as written:
        written.append_rows([(*row[:15], 2**62, *row[16:])])
    log.close()
    with pytest.raises(StoreDamaged, match="between positions 1 and 1 that cannot be read"):
        analysis.write(tmp_path / "cloud.db", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("column", [0, 2, 4, 7, 9, 12])
def test_a_row_that_lacks_what_every_event_has_is_told_by_its_positions(column):
    with World() as world:
        (row,) = rows(world.cloud.store)
    with pytest.raises(StoreDamaged, match=r"the log holds something .* that cannot be read"):
        batch_of([(*row[:column], None, *row[column + 1 :])])


def test_buckets_grow_in_number_before_they_grow_in_size(path, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "EVENTS_IN_A_BUCKET", 500)
    whole = analysis.write(path, tmp_path / "small")
    assert whole.buckets == whole.events // 500
    monkeypatch.setattr(writing, "EVENTS_IN_A_BUCKET", 1)
    assert analysis.write(path, tmp_path / "most").buckets == writing.MOST_BUCKETS
    small, most = (analysis.fold(tmp_path / name) for name in ("small", "most"))
    assert small.equals(most)
