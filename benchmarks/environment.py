"""Where a result comes from: commit, machine, versions, date."""

import datetime
import hashlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = (
    "datasketch",
    "llvmlite",
    "numba",
    "numpy",
    "pyarrow",
    "pyspark",
    "rensa",
    "scikit-learn",
    "xxhash",
)

THREAD_VARIABLES = (
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
"""What the thread pools of rensa, numpy and numba read when they start."""


def use_one_thread() -> None:
    """Hold every thread pool to one thread; to be called before the libraries are imported."""
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"


def describe_environment() -> dict:
    """Return commit, machine, versions, thread settings and date, ready for JSON."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **_describe_source(),
        "machine": _describe_machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: _version(name) for name in PACKAGES},
        "threads": {name: os.environ.get(name) for name in THREAD_VARIABLES},
    }


def _describe_source() -> dict:
    """The commit does not say what ran where files have changed since; the digest does."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "dedup").rglob("*")):
        if path.suffix in {".py", ".npz"}:
            digest.update(path.read_bytes())
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed_since_commit": _git("status", "--porcelain", "--", "dedup").splitlines(),
        "package_sha256": digest.hexdigest(),
    }


def _describe_machine() -> dict:
    cpu = _proc_fields("/proc/cpuinfo")
    memory = _proc_fields("/proc/meminfo")
    flags = cpu.get("flags", "").split()
    return {
        "system": platform.platform(),
        "cpu": cpu.get("model name") or platform.processor(),
        "cpu_family_model": [cpu.get("cpu family"), cpu.get("model")],
        "cores": os.cpu_count(),
        "vector_flags": [flag for flag in ("avx2", "avx512f", "avx512bw") if flag in flags],
        "memory": memory.get("MemTotal"),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def _proc_fields(path: str) -> dict[str, str]:
    """Return the first value of each field of a file of Linux's /proc; {} elsewhere."""
    fields: dict[str, str] = {}
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return fields
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip("\n")
