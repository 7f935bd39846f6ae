"""A storage of Snakemake that is a folder: what S3 is to a cluster, without a server."""

from __future__ import annotations

import shutil
from pathlib import Path

from snakemake_interface_storage_plugins.settings import StorageProviderSettingsBase
from snakemake_interface_storage_plugins.storage_object import StorageObjectRead, StorageObjectWrite
from snakemake_interface_storage_plugins.storage_provider import (
    StorageProviderBase,
    StorageQueryValidationResult,
)


class StorageProviderSettings(StorageProviderSettingsBase):
    pass


class StorageProvider(StorageProviderBase):
    @classmethod
    def example_queries(cls) -> list:
        return []

    @classmethod
    def is_valid_query(cls, query: str) -> StorageQueryValidationResult:
        return StorageQueryValidationResult(query, valid=query.startswith("shelf://"), reason="not shelf://")

    def use_rate_limiter(self) -> bool:
        return False

    def default_max_requests_per_second(self) -> float:
        return 0.0

    def rate_limiter_key(self, query: str, operation: object) -> str:
        return ""


class StorageObject(StorageObjectRead, StorageObjectWrite):
    @property
    def place(self) -> Path:
        return Path(self.query.removeprefix("shelf:/"))

    async def inventory(self, cache: object) -> None:
        pass

    def get_inventory_parent(self) -> None:
        pass

    def local_suffix(self) -> str:
        return self.query.removeprefix("shelf://")

    def cleanup(self) -> None:
        pass

    def exists(self) -> bool:
        return self.place.exists()

    def mtime(self) -> float:
        return self.place.stat().st_mtime

    def size(self) -> int:
        return self.place.stat().st_size

    def retrieve_object(self) -> None:
        _copy(self.place, self.local_path())

    def store_object(self) -> None:
        _copy(self.local_path(), self.place)

    def remove(self) -> None:
        shutil.rmtree(self.place) if self.place.is_dir() else self.place.unlink()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)
