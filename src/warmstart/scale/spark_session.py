"""A Spark session at a master's address; what goes wrong there comes back as one line."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from warmstart.errors import ConfigError, WarmstartError, require

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = re.compile(r"^local(\[(\d+|\*)(,\d+)?\])?$")
ELSEWHERE = re.compile(r"^(spark://\S+:\d+|yarn|k8s://\S+|local-cluster\[\d+,\d+,\d+\])$")
FORMS = "local[2], spark://host:7077, yarn or k8s://host:port"
REACHED_IN = 5.0  # seconds in which a master has to answer
SHOWN = 300  # characters of Spark's message that are repeated
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.maxResultSize": "0",  # what is aggregated is meant for the driver
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
ALONE = {  # of a machine by itself: nothing listens to the network
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
}


@contextmanager
def session(master: str) -> Iterator[SparkSession]:
    """A session on a cluster, or on this machine; one that runs already is taken over and left running.

    Everything else of a cluster (memory, cores, credentials) is set where Spark has it: ``spark-defaults.conf``.

    Parameters
    ----------
    master
        ``local[2]`` (two cores), ``local[2,4]`` (a task may fail three times), ``spark://host:port``, ``yarn``, or
        ``k8s://...``.

    Raises
    ------
    ConfigError
        If the address has no such form, nobody answers there, or there is no Java.
    MissingExtra
        If pyspark is not installed.
    WarmstartError
        If a job fails.
    """
    check_master(master)
    sql, errors = require("pyspark.sql", extra="spark"), require("pyspark.errors", extra="spark")
    protocol = require("py4j.protocol", extra="spark")
    check_java()
    check_reachable(master)
    running = sql.SparkSession.getActiveSession()
    if running is not None and (other := running.sparkContext.master) != master:
        raise ConfigError(f"a Spark session on {other!r} runs here already, not on {master!r}; stop it, or take that")
    try:
        spark = running or _started(sql, master)
    except (errors.PySparkException, protocol.Py4JError, RuntimeError) as error:
        raise ConfigError(
            f"Spark cannot be started on {master!r} ({brief(error)}); check Java and its settings"
        ) from error
    try:
        yield spark
    except (errors.PySparkException, protocol.Py4JError) as error:
        raise WarmstartError(f"a job of Spark on {master!r} failed ({brief(error)}); its log says more") from error
    finally:
        if running is None:
            spark.stop()


def _started(sql: Any, master: str) -> SparkSession:
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")  # which is not used here
    build = sql.SparkSession.builder.master(master).appName("warmstart")
    local = LOCAL.match(master)
    if local:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        cores = os.cpu_count() if local[2] in (None, "*") else int(local[2])
        build = build.config("spark.sql.shuffle.partitions", str(2 * (cores or 1)))
    for name, value in (SETTINGS | (ALONE if local else {})).items():
        build = build.config(name, value)
    spark: SparkSession = build.getOrCreate()
    return spark


def check_master(master: str) -> None:
    """Refuse what is no address of a master.

    Examples
    --------
    >>> check_master("local[2]"), check_master("spark://node1:7077")
    (None, None)
    >>> check_master("spark:/node1")
    Traceback (most recent call last):
    warmstart.errors.ConfigError: 'spark:/node1' is no Spark master; write local[2], spark://host:7077, yarn or ...
    """
    if not (LOCAL.match(master) or ELSEWHERE.match(master)):
        raise ConfigError(f"{master!r} is no Spark master; write {FORMS}")


def check_java() -> None:
    """Say that there is no Java before Spark says it in forty lines."""
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and shutil.which("java", path=os.path.join(home, "bin")))):
        raise ConfigError("Spark needs Java, and neither JAVA_HOME nor PATH leads to one; install Java 17")


def check_reachable(master: str) -> None:
    """Of ``spark://host:port`` (or several between commas) one must answer: Spark itself would try for a minute."""
    if not master.startswith("spark://"):
        return
    failed = ""
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), REACHED_IN).close()
        except OSError as error:
            failed = str(error)
        else:
            return
    raise ConfigError(f"nobody answers at {master!r} ({failed}); check host and port, and that a master runs there")


def brief(error: BaseException) -> str:
    r"""The line of an error that says most: the last of a Python traceback inside it, or its first.

    Examples
    --------
    >>> brief(RuntimeError("An exception:\nTraceback (most recent call last):\n  File x\nKeyError: 'a'\n"))
    "KeyError: 'a'"
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    raised = [line for line in lines if re.match(r"^[\w.]+(Error|Exception|NotFitted|Extra)\b.*:", line)]
    chosen = raised[-1] if any("Traceback" in line for line in lines) and raised else next(iter(lines), "no message")
    return chosen[:SHOWN]
