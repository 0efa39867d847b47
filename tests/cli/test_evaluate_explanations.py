"""``warmstart evaluate-explanations``, and ``--calibrate``."""


def test_explanations_steering_and_calibration_are_measured(shell):
    f = shell.folder
    tables = (f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who", "--recipe", f / "recipe.toml")
    asked = ("evaluate-explanations", *tables, "--people", 6, "-k", 5, "--draws", 3)
    found = shell.json(*asked)
    told = found["explanations"]
    assert told["listed"] == 30
    assert 0 < told["tested"] <= told["explained"] <= 30
    assert told["faithful"]["low"] <= told["faithful"]["mean"] <= told["faithful"]["high"] <= 1
    assert told["drop"] > told["drop_random"]
    steering = found["steering"]
    assert steering["interest_off"] == 0 < steering["interest"]
    assert [line["weight"] for line in found["calibration"]] == [0, 0.25, 0.5, 0.75]
    first, *_, last = (line["miscalibration"]["mean"] for line in found["calibration"])
    assert last <= first
    said = shell(*asked).stdout
    assert all(part in said for part in ("faithful (share of draws beaten)", "switched off", "miscalibration"))


def test_lists_in_proportion_and_reasons_by_interest(shell, fitted):
    engine = shell.folder / "engine"
    asked = ("recommend", engine, "--history", "i0,i4,i8,i1", "-k", 5)
    assert shell.json(*asked, "--calibrate", 0) == shell.json(*asked)
    rows = shell.json(*asked, "--calibrate", 0.9, "--explain")
    assert len({row["item_id"] for row in rows}) == 5
    reasons = [reason for row in rows for reason in row["reasons"]]
    assert any(reason.startswith("because of your interest in ") for reason in reasons)
    assert "calibrate" in shell(*asked, "--calibrate", 2, code=2).stderr
    one = shell.json("explain", engine, "--history", "i0,i4,i8,i1", "--item", rows[0]["item_id"])
    assert one["because"] is None or one["because"]["name"] in one["text"]
