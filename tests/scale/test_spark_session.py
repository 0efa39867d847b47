"""Masters that are none, that do not answer, and what is not installed."""

import builtins
import socket
import sys

import pytest

from warmstart.errors import ConfigError, MissingExtra, WarmstartError
from warmstart.scale.spark_session import brief, check_master, session


@pytest.mark.parametrize("master", ["", "spark:/node1", "local[two]", "node1:7077", "spark://node1", "sc://node1"])
def test_what_is_no_master(master):
    with pytest.raises(ConfigError, match="is no Spark master; write local"), session(master):
        pass


@pytest.mark.parametrize("master", ["local", "local[*]", "local[2,4]", "spark://a:7077,b:7077", "yarn", "k8s://h:443"])
def test_what_is_a_master(master):
    check_master(master)


def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match="nobody answers"), session(master):
            pass


def test_without_pyspark(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingExtra, match=r"warmstart\[spark\]"), session("local[2]"):
        pass


def test_without_java(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ConfigError, match="install Java 17"), session("local[2]"):
        pass


def test_what_an_error_says():
    assert brief(RuntimeError("")) == "no message"
    assert brief(builtins.ValueError("first\nsecond")) == "first"


def test_a_session_that_runs_is_taken_over_and_a_job_that_fails_is_told_in_a_line(spark):
    def fails(batches):
        yield from batches
        raise ValueError("no such thing")

    with pytest.raises(ConfigError, match="runs here already, not on 'local'"), session("local"):
        pass
    with pytest.raises(WarmstartError, match=r"a job of Spark on 'local\[2,4\]' failed \(.*ValueError: no such thing"):
        run(spark, fails)
    assert spark.range(3).count() == 3  # it is left running


def run(spark, work):
    with session("local[2,4]") as taken:
        assert taken is spark
        taken.range(1).coalesce(1).mapInArrow(work, "id bigint").collect()
