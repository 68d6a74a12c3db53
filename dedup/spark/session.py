"""A Spark session for the command line, and clear errors where none can be had."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import dedup
from dedup.errors import DependencyError
from dedup.spark import require_pyspark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def open_session(master: str | None, checkpoint_dir: str | None) -> "SparkSession":
    """Return the running session, else a new one on `master`, by default what Spark's configuration says.

    Raises `DependencyError` without pyspark or Java.
    """
    require_pyspark()
    require_java()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    use_this_python()
    builder = SparkSession.builder.appName("dedup")
    if master:
        builder = builder.master(master)
    try:
        session = builder.getOrCreate()
    except PySparkException as error:
        raise DependencyError(
            f"Spark cannot be started on {master or 'the default master'}: {error}"
        ) from error
    if checkpoint_dir:
        session.sparkContext.setCheckpointDir(checkpoint_dir)
    return session


def require_java() -> None:
    """Raise `DependencyError` where no Java can be found; Spark 4 needs version 17 or newer."""
    home = os.environ.get("JAVA_HOME")
    if home and not (Path(home) / "bin" / "java").exists():
        raise DependencyError(
            f"JAVA_HOME is {home!r}, but there is no bin/java in it; set it to a Java of version 17 or newer"
        )
    if not home and not shutil.which("java"):
        raise DependencyError(
            "Spark needs Java 17 or newer, and there is no java on the PATH and no JAVA_HOME; install it, "
            "for example with: apt-get install default-jre-headless"
        )


def use_this_python() -> None:
    """Have Spark's workers on this machine run this very Python and package, unless told otherwise."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    folder = str(Path(dedup.__file__).parents[1])
    given = os.environ.get("PYTHONPATH")
    if folder not in (given or "").split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, given)))
