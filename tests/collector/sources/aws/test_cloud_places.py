"""What was read is known in the next process, within bounds, whatever a crash left of the file."""

from __future__ import annotations

from pathlib import Path

from collector.sources.aws import cloud_places
from collector.sources.aws.cloud_places import CloudPlaces, StoredObject

ONE = StoredObject("b", "key", '"1"', 100.0)


def test_what_was_read_outlives_the_process(tmp_path: Path):
    """Objects by version, events by group, and where each begins."""
    path = tmp_path / "places"
    with CloudPlaces(path) as places:
        assert 7.0 == places.begins("s3://b", 7.0)
        places.read(ONE)
        places.read_events("g", [("e1", 1.0), ("e2", 2.0)])
        places.forget_events("g", 1.5)
    with path.open("ab") as file:
        file.write(b'{"object": "torn')
    with CloudPlaces(path) as places:
        places.read(ONE._replace(key="other"))
    with CloudPlaces(path) as places:
        known = [
            places.is_read(ONE._replace(key=key, etag=etag))
            for key, etag in (("key", '"1"'), ("key", '"2"'), ("other", '"1"'))
        ]

        assert [True, False, True] == known
        assert 7.0 == places.begins("s3://b", 99.0)
        assert ({"e2": 2.0}, {}) == (places.events("g"), places.events("h"))
    assert 0o600 == path.stat().st_mode & 0o777
    assert b"key" not in path.read_bytes()


def test_old_objects_are_forgotten_and_stay_read(tmp_path: Path):
    """The time before which nothing is read takes their place."""
    with CloudPlaces(tmp_path / "places") as places:
        for n in range(1, 101):
            places.read(ONE._replace(key=str(n), modified=float(n)))

        assert 0 == places.forget_old_objects(["s3://b"], most=100)
        assert 50 == places.forget_old_objects(["s3://b"], most=99)
        assert 51.0 == places.begins("s3://b", 0.0)
        assert not places.is_read(ONE._replace(key="50"))
        assert places.is_read(ONE._replace(key="51"))


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch):
    """It is written anew when most of it is of the past."""
    monkeypatch.setattr(cloud_places, "SPARE_LINES", 10)
    path = tmp_path / "places"
    with CloudPlaces(path) as places:
        places.read(ONE)
        for n in range(1_000):
            places.advance("logs:g", float(n))
    with CloudPlaces(path) as places:
        assert len(path.read_bytes().splitlines()) < 30
        assert (999.0, True) == (places.begins("logs:g", 0.0), places.is_read(ONE))
