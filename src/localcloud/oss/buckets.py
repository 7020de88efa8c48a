"""The buckets of one account, in memory."""

from datetime import datetime
from typing import NamedTuple

from cloud_languages.resource_names import BUCKET, RULES
from localcloud.oss.signature import OssError


class StoredObject(NamedTuple):
    """One object and when it was written."""

    body: bytes
    written_at: datetime


class Bucket(NamedTuple):
    """One bucket: its region, when it was made, and its objects by name."""

    name: str
    region: str
    made_at: datetime
    objects: dict[str, StoredObject]


class Buckets(dict[str, Bucket]):
    """Buckets by name."""

    def make(self, name: str, region: str, now: datetime) -> None:
        """Make a bucket; one that is there stays as it is. Raises OssError (InvalidBucketName)."""
        if mistake := RULES[BUCKET].mistake(name):
            raise OssError(RULES[BUCKET].code, f"{name}: {mistake}", 400)
        self.setdefault(name, Bucket(name, region, now, {}))

    def find(self, name: str) -> Bucket:
        """Return a bucket. Raises OssError (NoSuchBucket)."""
        if name not in self:
            raise OssError("NoSuchBucket", f"there is no bucket {name}", 404)
        return self[name]

    def find_object(self, bucket: str, key: str) -> StoredObject:
        """Return an object. Raises OssError (NoSuchBucket, NoSuchKey)."""
        objects = self.find(bucket).objects
        if key not in objects:
            raise OssError("NoSuchKey", f"there is no object {key} in {bucket}", 404)
        return objects[key]
