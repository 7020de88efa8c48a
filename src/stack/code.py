"""The code package on its way into a stack: inside the template where it fits, else in a bucket under its own digest.

An object's name is made of its content: a package that is there already is not sent again, a stack that is rolled back
still finds the one before, and a changed name is what makes ROS update the function.
"""

import base64
import hashlib
from typing import Any

from cloud_languages.template.checks import TEMPLATE_BYTES
from cloud_languages.template.document import Document, as_json, copied
from stack.clients import Clients

PARAMETERS = ("CodeBucket", "CodeObject")
PREFIX = "ecs-reboot"
_NOT_FOUND = 404


class NotUploaded(RuntimeError):
    """The package did not get into the bucket; the text says why."""


def object_name(package: bytes) -> str:
    """Return the name of a package's object."""
    return f"{PREFIX}/{hashlib.sha256(package).hexdigest()}.zip"


def inlined(document: Document, package: bytes) -> Document | None:
    """Return the template with the package in it, and without the parameters for a bucket; None if it does not fit."""
    if len(as_json(document)) + len(package) * 4 // 3 > TEMPLATE_BYTES:
        return None
    own = copied(document)
    for name in PARAMETERS:
        own["Parameters"].pop(name)
    for group in own["Metadata"]["ALIYUN::ROS::Interface"]["ParameterGroups"]:
        group["Parameters"] = [name for name in group["Parameters"] if name not in PARAMETERS]
    function = next(one for one in own["Resources"].values() if one["Type"] == "ALIYUN::FC3::Function")
    function["Properties"]["Code"] = {"ZipFile": base64.b64encode(package).decode()}
    return own if len(as_json(own).encode()) <= TEMPLATE_BYTES else None


def upload(clients: Clients, bucket: str, package: bytes) -> tuple[str, bool]:
    """Put a package into a bucket, which is made if it is not there; return its name, and whether it was sent.

    Raises NotUploaded.
    """
    import alibabacloud_oss_v2 as oss  # noqa: PLC0415 - loaded with its client only

    name = object_name(package)
    try:
        if not clients.oss.is_bucket_exist(bucket):
            clients.oss.put_bucket(oss.PutBucketRequest(bucket=bucket, acl="private"))
        elif _is_there(clients, bucket, name, len(package)):
            return name, False
        clients.oss.put_object(oss.PutObjectRequest(bucket=bucket, key=name, body=package))
    except oss.exceptions.BaseError as error:
        cause = error.unwrap() if isinstance(error, oss.exceptions.OperationError) else error
        told = f"{cause.code}: {cause.message}" if isinstance(cause, oss.exceptions.ServiceError) else str(cause)
        raise NotUploaded(f"the package can't be put into the bucket {bucket}: {told}") from error
    return name, True


def _is_there(clients: Clients, bucket: str, name: str, size: int) -> bool:
    import alibabacloud_oss_v2 as oss  # noqa: PLC0415 - loaded with its client only

    try:
        found: Any = clients.oss.head_object(oss.HeadObjectRequest(bucket=bucket, key=name))
    except oss.exceptions.OperationError as error:
        cause = error.unwrap()
        if isinstance(cause, oss.exceptions.ServiceError) and cause.status_code == _NOT_FOUND:
            return False
        raise
    return bool(found.content_length == size)
