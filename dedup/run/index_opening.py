"""How the file of an index is opened or made, and which settings it then has."""

from pathlib import Path

from dedup.index import reads
from dedup.index.store import Store
from dedup.run.index_settings import meta_of, settings_for
from dedup.settings import Settings


def open_store(
    path: Path, wanted: Settings | None, *, create: bool, read_only: bool
) -> tuple[Store, Settings]:
    """Return the store of a file, made with the wanted settings if it is not there, and its settings.

    Raises `SettingsError` where the file has other settings, `IndexFileError` where it cannot be used.
    """
    store = Store.open(
        path, create=create, read_only=read_only, first_rows=lambda: meta_of(wanted or Settings())
    )
    try:
        with store.reading() as connection:
            meta = reads.read_meta(connection)
        return store, settings_for(meta, wanted, path)
    except BaseException:
        store.close()
        raise
