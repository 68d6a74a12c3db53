"""One local Spark session for all tests, or the reason why there is none."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dedup.errors import DependencyError
from dedup.spark import require_pyspark
from dedup.spark.session import require_java, use_this_python


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a session on two threads of this machine, with few and small shuffle partitions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas' version, raised at import
        try:
            require_pyspark()
            require_java()
        except DependencyError as error:
            pytest.skip(str(error))
        from pyspark.sql import SparkSession

        use_this_python()
        warehouse: Path = tmp_path_factory.mktemp("warehouse")
        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.driver.host": "localhost",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.warehouse.dir": str(warehouse),
            "spark.sql.session.timeZone": "Asia/Riyadh",  # must not matter
        }
        builder = SparkSession.builder.master("local[2]").appName("tests")
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()
