"""The code package on its way into a stack: inside the template where it fits, else in a bucket under its own digest.

An object's name is made of its content: a package that is there already is not sent again, a stack that is rolled back
still finds the one before, and a changed name is what makes ROS update the function.
"""

import base64
import hashlib
import re
from typing import Any

from cloud_languages.template.checks import TEMPLATE_BYTES
from cloud_languages.template.document import Document, as_json, copied
from stack.clients import Clients
from stack.code_parameters import CODE

PREFIX = "ecs-reboot"
_NOT_FOUND = 404
_PACKAGE = re.compile(rf"{PREFIX}/[0-9a-f]{{64}}\.zip")


class NotUploaded(RuntimeError):
    """The package did not get into the bucket; the text says why."""


def object_name(package: bytes) -> str:
    """Return the name of a package's object."""
    return f"{PREFIX}/{hashlib.sha256(package).hexdigest()}.zip"


def default_bucket(account: str, region: str) -> str:
    """Return the name of the bucket for the packages of all stacks of a region."""
    return f"ecs-reboot-code-{account}-{region}"


def inlined(document: Document, package: bytes) -> Document | None:
    """Return the template with the package in it, and without the parameters for a bucket; None if it does not fit."""
    if len(as_json(document)) + len(package) * 4 // 3 > TEMPLATE_BYTES:
        return None
    own = copied(document)
    for name in CODE:
        own["Parameters"].pop(name)
    for group in own["Metadata"]["ALIYUN::ROS::Interface"]["ParameterGroups"]:
        group["Parameters"] = [name for name in group["Parameters"] if name not in CODE]
    function = next(resource for resource in own["Resources"].values() if resource["Type"] == "ALIYUN::FC3::Function")
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
        raise NotUploaded(f"the package can't be put into the bucket {bucket}: {_format_error(error)}") from error
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


def discard(clients: Clients, bucket: str) -> str | None:
    """Take a bucket away that holds packages alone; return why it stays, '' if it is gone, None if there was none."""
    import alibabacloud_oss_v2 as oss  # noqa: PLC0415 - loaded with its client only

    try:
        if not clients.oss.is_bucket_exist(bucket):
            return None
        pages = clients.oss.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(bucket=bucket))
        held = [str(found.key) for page in pages for found in page.contents or ()]
        if others := [key for key in held if not _PACKAGE.fullmatch(key)]:
            return f"it holds what is no package of ours ({others[0]})"
        for key in held:
            clients.oss.delete_object(oss.DeleteObjectRequest(bucket=bucket, key=key))
        clients.oss.delete_bucket(oss.DeleteBucketRequest(bucket=bucket))
    except oss.exceptions.BaseError as error:
        return _format_error(error)
    return ""


def _format_error(error: Any) -> str:
    import alibabacloud_oss_v2 as oss  # noqa: PLC0415 - loaded with its client only

    cause = error.unwrap() if isinstance(error, oss.exceptions.OperationError) else error
    return f"{cause.code}: {cause.message}" if isinstance(cause, oss.exceptions.ServiceError) else str(cause)
