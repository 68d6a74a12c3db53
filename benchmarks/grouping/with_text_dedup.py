"""text-dedup 0.4: its own command, `python -m text_dedup.minhash`, with --debug to have its groups."""

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import common


def group(path, threshold, threads, stages, hash_func="sha1"):
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "text_dedup.minhash", "--path", "json", "--data_files", path]
        command += ["--split", "train", "--column", "text", "--cache_dir", f"{folder}/cache"]
        command += ["--output", f"{folder}/out", "--debug", "--hash_func", hash_func, "--min_length", "1"]
        command += ["--ngram", str(common.SIZE), "--num_perm", str(common.NUM_PERM)]
        command += ["--threshold", str(threshold), "--num_proc", str(threads)]
        with stages.stage("command"):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        with open(path, "rb") as lines:
            count = sum(1 for _ in lines)
        with Path(folder, "out", "uf.pkl").open("rb") as file:
            found = pickle.load(file)
        parents = found if isinstance(found, dict) else getattr(found, "parent", found)
        components = common.Components(count)
        for one, other in parents.items():
            components.join(int(one), int(other))
        return components.labels()


def with_xxh3(path, threshold, threads, stages):
    return group(path, threshold, threads, stages, "xxh3")


if __name__ == "__main__":
    common.main({"sha1": group, "xxh3": with_xxh3})
