"""The health report finds what was planted, and nothing in sound data."""

import json

import numpy as np
import polars as pl
import pytest

from warmstart.data.health import check
from warmstart.data.ingest import read_with_report
from warmstart.data.language import item_texts, languages
from warmstart.data.leakage import outcome_columns
from warmstart.data.toy import checkerboard, clusters

NOW = 1_700_000_000
DAY = 86_400


def findings(events, **tables):
    data, report = read_with_report(events, **tables)
    return {f.name: f for f in check(data, report, now=NOW).findings}


def sound(n=130):
    users = [f"u{k % 10}" for k in range(n)]
    items = [f"i{(k * 7) % 13}" for k in range(n)]
    return {"user": users, "item": items, "time": [1_600_000_000 + k * DAY for k in range(n)]}


TITLES = {"item_id": [f"i{k}" for k in range(13)], "title": [f"The film number {k}" for k in range(13)]}


def test_sound_data_needs_nothing():
    found = findings(sound(), items=TITLES)
    assert {f.severity for f in found.values()} == {"info"}
    assert set(found) == {"density", "language"}


def test_numbers():
    report = check(checkerboard(10, 10), now=NOW)
    assert report.numbers["events"] == 40
    assert report.numbers["density"] == pytest.approx(0.4)
    assert report.numbers["median_events_per_user"] == 4
    assert report.numbers["share_users_at_most_5"] == 1
    assert report.numbers["share_users_at_most_3"] == 0


@pytest.mark.parametrize(
    ("name", "severity", "events", "items"),
    [
        ("future_events", "problem", {**sound(), "time": [NOW - 100 * DAY + k * DAY for k in range(130)]}, TITLES),
        ("no_times", "warning", {k: v for k, v in sound().items() if k != "time"}, TITLES),
        ("short_span", "warning", {**sound(), "time": [1_600_000_000 + k for k in range(130)]}, TITLES),
        ("tied_times", "advice", {**sound(), "time": [1_600_000_000 + (k % 10) * DAY for k in range(130)]}, TITLES),
        ("text_coverage", "warning", sound(), None),
        ("items_without_events", "warning", {"user": ["u"], "item": ["i0"]}, TITLES),
        ("sparse_users", "advice", {"user": list("abc"), "item": ["i0"] * 3}, TITLES),
        ("leakage", "warning", sound(), {**TITLES, "num_votes": list(range(13))}),
        ("before_added", "warning", sound(), {**TITLES, "added_at": ["2023-01-01"] * 13}),
        ("language", "advice", sound(), {**TITLES, "title": ["流浪地球"] * 13}),
        ("rating_scale", "warning", {**sound(), "rating": [1, 2, 3, 4, 5] * 25 + [3] * 4 + [999]}, TITLES),
        ("refused", "warning", {**sound(), "user": [None] * 3 + sound()["user"][3:]}, TITLES),
        ("repeats", "advice", {**sound(), "item": ["i0"] * 130}, TITLES),
    ],
)
def test_what_is_planted_is_found(name, severity, events, items):
    found = findings(events, items=items)
    assert name in found
    assert found[name].severity == severity
    assert found[name].advice
    assert "\n" not in found[name].text + found[name].advice


def test_no_event_is_a_problem():
    assert findings({"user": [], "item": []}, items=TITLES)["no_events"].severity == "problem"


def test_worst_first_and_json():
    data, ingest = read_with_report({**sound(), "time": [NOW + k * DAY for k in range(130)]}, items=TITLES)
    report = check(data, ingest, now=NOW)
    assert report.worst == report.findings[0].severity == "problem"
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["worst"] == "problem"
    assert plain["ingest"]["rows"]["events"] == 130
    assert plain["numbers"]["users"] == 10


def test_a_column_that_follows_the_counts_is_suspect():
    counts = np.arange(40)
    noise = np.random.default_rng(0).permutation(40)
    table = pl.DataFrame({"hidden": counts * 3 + 1, "year": noise, "flat": [1] * 40, "text": ["x"] * 40})
    assert list(outcome_columns(table, counts)) == ["hidden"]


def test_users_are_looked_at_too():
    users = {"user_id": [f"u{k}" for k in range(10)], "n_ratings": list(range(10))}
    assert "'n_ratings' of users" in findings(sound(), items=TITLES, users=users)["leakage"].text


def test_languages():
    assert languages([]) == {"english": 0.0, "chinese": 0.0, "other": 0.0, "none": 0.0}
    assert languages(["三体 The Three-Body Problem"])["chinese"] == 0
    assert languages(["三体", "ソラリス", "Ñandú año", "1984"]) == {
        "english": 0.0,
        "chinese": 0.25,
        "other": 0.5,
        "none": 0.25,
    }
    assert item_texts(pl.DataFrame({"item_id": ["a"], "title": [" "], "description": [None]})).to_list() == [None]


def test_planted_clusters_are_as_promised():
    data = clusters(seed=3)
    x = data.interactions
    assert (x.item % 4 == x.user % 4).mean() > 0.9
    assert x.has_time
    assert x.has_rating
    assert (x.item_counts()[-12:] == 0).all()
    assert (x.user_counts() >= 1).all()
    assert data.fingerprint() == clusters(seed=3).fingerprint() != clusters(seed=4).fingerprint()
    shares = languages(data.catalog.table["title"])
    assert shares["chinese"] == shares["english"] == 0.5
    ages = data.user_table.group_by(pl.int_range(pl.len()) % 4).agg(pl.col("age").std())
    assert ages["age"].max() < 3


def test_the_checkerboard_withholds_the_diagonal():
    x = checkerboard(6, 6).interactions.matrix().toarray()
    assert (x.diagonal() == 0).all()
    assert x[0].tolist() == [0, 0, 1, 0, 1, 0]
