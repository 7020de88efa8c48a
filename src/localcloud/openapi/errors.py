"""The documented errors: code -> HTTP status and message."""

from typing import NamedTuple

from localcloud.account.faults import Fault


class Documented(NamedTuple):
    """One row of an error table."""

    status: int
    message: str


_SIGNING = {
    "IncompleteSignature": Documented(400, "The request signature does not conform to Aliyun standards."),
    "InvalidAccessKeyId.NotFound": Documented(404, "Specified access key is not found."),
    "InvalidSecurityToken.Expired": Documented(400, "Specified SecurityToken is expired."),
    "InvalidSecurityToken.Malformed": Documented(400, "Specified SecurityToken is malformed."),
    "InvalidSecurityToken.MismatchWithAccessKey": Documented(
        400, "Specified SecurityToken mismatch with the AccessKey."
    ),
    "InvalidSignatureMethod": Documented(400, "Specified signature method is not valid."),
    "InvalidSignatureVersion": Documented(400, "Specified signature version is not valid."),
    "InvalidTimeStamp.Expired": Documented(400, "Specified time stamp or date value is expired."),
    "InvalidTimeStamp.Format": Documented(400, "Specified time stamp or date value is not well formatted."),
    "MissingAccessKeyId": Documented(400, "AccessKeyId is mandatory for this action."),
    "MissingSecurityToken": Documented(400, "SecurityToken is mandatory for this action."),
    "SignatureDoesNotMatch": Documented(400, "Specified signature is not matched with our calculation."),
    "SignatureNonceUsed": Documented(400, "Specified signature nonce was used already."),
}
_REQUEST = {
    "InvalidAction.NotFound": Documented(404, "Specified api is not found, please check your url and method."),
    "InvalidParameter": Documented(400, "The specified parameter is not valid."),
    "InvalidParameter.Format": Documented(400, "Specified parameter format is not valid."),
    "InvalidVersion": Documented(400, "Specified parameter Version is not valid."),
    "MissingParameter": Documented(400, "A required parameter is missing."),
    "UnsupportedHTTPMethod": Documented(403, "This http method is not supported."),
    "UnsupportedParameter": Documented(400, "The parameter is not supported."),
}
_TROUBLE = {
    "InternalError": Documented(500, "The request processing has failed due to some unknown error."),
    "ServiceUnavailable": Documented(503, "The request has failed due to a temporary failure of the server."),
    "Throttling": Documented(400, "Request was denied due to request throttling."),
    "Throttling.Api": Documented(400, "Request was denied due to api flow control."),
    "Throttling.Resource": Documented(400, "Request was denied due to resource flow control."),
    "Throttling.User": Documented(400, "Request was denied due to user flow control."),
}
_INSTANCES = {
    "DRYRUN.SUCCESS": Documented(400, "The request was validated with DryRun set; nothing was done."),
    "DryRunOperation": Documented(400, "Request validation has been passed with DryRun flag set."),
    "Forbidden.RAM": Documented(403, "User not authorized to operate on the specified resource."),
    "IncorrectInstanceStatus": Documented(403, "The current status of the resource does not support this operation."),
    "InstanceLockedForSecurity": Documented(
        403, "The specified operation is denied as your instance is locked for security reasons."
    ),
    "Abs.InvalidInstanceIds.MalFormed": Documented(403, "The specified instanceIds is not valid."),
    "DiskError": Documented(403, "IncorrectDiskStatus."),
    "InvalidInstance.NotFoundSystemDisk": Documented(403, "The instance has no system disk."),
    "InvalidInstanceIds.NotFound": Documented(404, "The specified InstanceIds does not exist."),
    "InvalidOperation.Conflict": Documented(
        409, "Request was denied due to conflict with a previous request, please try again later."
    ),
    "InvalidParameter.KMSKeyId.CMKNotEnabled": Documented(400, "The CMK needs to be enabled."),
    "InvalidParameter.KMSKeyId.CMKUnauthorized": Documented(403, "The CMK is not open to ECS."),
    "InvalidParameter.KMSKeyId.KMSUnauthorized": Documented(
        400, "ECS service account have no right to access your KMS."
    ),
    "InvalidParameter.KMSKeyId.NotFound": Documented(404, "The specified CMK does not exist."),
    "LimitedOperation.ServiceUnavailable": Documented(
        503, "The service is currently unavailable. Please try again later."
    ),
    "InstanceNotReady": Documented(403, "The specified instance is not ready for use."),
    "InstanceExpiredOrInArrears": Documented(403, "The instance is expired, or payment for it is due."),
    "InsufficientBalance": Documented(403, "Your account does not have enough balance."),
    "InvalidInstanceId.NotFound": Documented(404, "The specified InstanceId does not exist."),
    "InvalidInstanceIds.Malformed": Documented(400, "The specified InstanceIds is not valid."),
    "InvalidParameter.TooManyInstanceIds": Documented(403, "Instance ids cannot be more than 100."),
    "InvalidRegionId.NotFound": Documented(404, "The specified RegionId does not exist."),
}
_FILTERS = {
    "InvalidInstanceChargeType.NotFound": Documented(404, "The InstanceChargeType does not exist in our records."),
    "InvalidLockReason.NotFound": Documented(404, "The specified LockReason is not found."),
    "InvalidNetworkType.NotFound": Documented(404, "The specified InstanceNetworkType is not found."),
    "InvalidStatus.NotFound": Documented(404, "The specified Status is not found."),
    "InvalidTagCount": Documented(400, "The specified tags are beyond the permitted range."),
}
_SURROUNDINGS = {
    "EventIdLimitExceeded": Documented(403, "The maximum number of event IDs is exceeded."),
    "InstanceIdLimitExceeded": Documented(403, "The maximum number of instance IDs is exceeded."),
    "InstanceIds.ExceedLimit": Documented(403, "The number of instance IDs exceeds the limit."),
    "InvalidInstance.NotFound": Documented(404, "The specified instance does not exist."),
    "InvalidNotBefore.Passed": Documented(403, "The specified NotBefore is in the past."),
    "InvalidScalingGroupId.NotFound": Documented(404, "The specified scaling group does not exist."),
    "ParameterInvalid": Documented(400, "The parameter is invalid."),
    "ResourceNotFound": Documented(404, "The specified resource is not found."),
}
_TAGS = {
    "Duplicate.TagKey": Documented(400, "The Tag.N.Key contain duplicate key."),
    "InvalidResourceId.NotFound": Documented(404, "The specified ResourceIds are not found in our records."),
    "InvalidResourceType.NotFound": Documented(404, "The ResourceType provided does not exist in our records."),
    "InvalidTagKey.Malformed": Documented(400, "The specified Tag.n.Key is not valid."),
    "InvalidTagValue.Malformed": Documented(400, "The specified Tag.n.Value is not valid."),
    "MissingParameter.RegionId": Documented(404, "The parameter - RegionId should not be null"),
    "MissingParameter.ResourceIds": Documented(400, "The parameter ResourceIds.N must not be null."),
    "MissingParameter.ResourceType": Documented(404, "The parameter - ResourceType should not be null"),
    "MissingParameter.TagKey": Documented(400, "You must specify Tag.N.Key."),
    "MissingParameter.Tags": Documented(404, "The parameter - Tags should not be null"),
    "NumberExceed.ResourceIds": Documented(400, "The ResourceIds parameter's number is exceed , Valid : 50"),
    "NumberExceed.Tags": Documented(400, "The Tags parameter's number is exceed , Valid : 20"),
    "OperationDenied.QuotaExceed": Documented(400, "The quota of tags on resource is beyond permitted range."),
}
DOCUMENTED = _SIGNING | _REQUEST | _TROUBLE | _INSTANCES | _FILTERS | _SURROUNDINGS | _TAGS


class ApiError(Exception):
    """A refusal by ECS. Without ``message`` and ``status`` it is the documented row of ``code``.

    ``detail`` is added to the documented message: what, which value, and what to do.
    """

    def __init__(self, code: str, detail: str = "", *, message: str = "", status: int = 0) -> None:
        row = DOCUMENTED.get(code, Documented(400, code))
        self.code = code
        self.status = status or row.status
        self.message = (message or row.message) + (f" ({detail})" if detail else "")
        super().__init__(f"{self.status} {code}: {self.message}")


def declared_error(fault: Fault) -> ApiError:
    """Return the error that an ``error`` or ``throttle`` fault declares, filled in from the documented table."""
    default = "Throttling.User" if fault.kind == "throttle" else "InternalError"
    return ApiError(fault.code or default, message=fault.message, status=fault.status or 0)
