"""The official clients of the services that the tools talk to, all with the credentials of the usual chain.

The chain is that of ``alibabacloud-credentials``: environment variables, profile file, ECS instance role. ``endpoint``
(one address for all services) is for a stand-in cloud; without it each client finds its region's own.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

from alibabacloud_credentials.client import Client as CredentialChain
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_tea_openapi.utils_models import Config

from ecs_reboot.cloud import endpoints

#: Services of one address for all regions: version and address.
_GLOBAL = {
    "ram": ("2015-05-01", "ram.aliyuncs.com"),
    "resourcemanager": ("2020-03-31", "resourcemanager.aliyuncs.com"),
}
#: The variables of the chain that only count together.
_KEY_PAIR = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
_ECS_VERSION = "2014-05-26"


class NoCredentials(RuntimeError):
    """The chain of credentials gives none."""


class Keys(NamedTuple):
    """A key pair and its token ('' for a long-term one)."""

    access_key_id: str
    access_key_secret: str
    security_token: str

    def __repr__(self) -> str:
        return f"Keys({self.access_key_id})"


class Clients:
    """Clients for one region, made when they are first asked for; ``chain`` stands in for the usual chain."""

    def __init__(self, region: str, endpoint: str = "", chain: CredentialChain | None = None) -> None:
        self.region, self._given_chain = region, chain
        scheme, _, host = endpoint.rpartition("://")
        self._scheme, self._host = scheme or "https", host

    @cached_property
    def _chain(self) -> CredentialChain:
        return self._given_chain or CredentialChain()

    def keys(self) -> Keys:
        """Return the present credentials. Raises NoCredentials."""
        # The chain writes a traceback for each place that has none; what counts is the sentence below.
        logging.getLogger("credentials").setLevel(logging.CRITICAL)
        try:
            found = self._chain.get_credential()
        except CredentialException as error:
            half = [name for name in _KEY_PAIR if not os.environ.get(name)]
            what = f"{half[0]} is missing: set it too" if len(half) == 1 else f"set {' and '.join(_KEY_PAIR)}"
            raise NoCredentials(f"no credentials: {what}, or a profile (docs/operate/deploy.md)") from error
        return Keys(found.access_key_id or "", found.access_key_secret or "", found.security_token or "")

    @cached_property
    def ros(self) -> Any:
        """Resource Orchestration Service."""
        from alibabacloud_ros20190910.client import Client  # noqa: PLC0415 - each command loads what it uses

        return Client(self._config())

    @cached_property
    def sts(self) -> Any:
        """Security Token Service: whose the credentials are."""
        from alibabacloud_sts20150401.client import Client  # noqa: PLC0415

        return Client(self._config())

    @cached_property
    def cms(self) -> Any:
        """CloudMonitor: alarm rules and where they go."""
        from alibabacloud_cms20190101.client import Client  # noqa: PLC0415

        return Client(self._config())

    @cached_property
    def oss(self) -> Any:
        """Object storage: the code package."""
        import alibabacloud_oss_v2 as oss  # noqa: PLC0415

        clients = self

        class Provider(oss.credentials.CredentialsProvider):  # type: ignore[misc]
            """The same chain, in the form that this client takes."""

            def get_credentials(self) -> Any:
                """Return the present credentials."""
                return oss.credentials.Credentials(*clients.keys())

        config = oss.config.load_default()
        config.credentials_provider = Provider()
        config.region = self.region
        if self._host:
            config.endpoint, config.use_path_style = f"{self._scheme}://{self._host}", True
        return oss.Client(config)

    @cached_property
    def logs(self) -> Any:
        """Log service. Its client takes keys, not a chain."""
        from aliyun.log import LogClient  # noqa: PLC0415

        keys = self.keys()
        endpoint = f"{self._scheme}://{self._host}" if self._host else endpoints.url("log", self.region, "public")
        client: Any = LogClient(endpoint, keys.access_key_id, keys.access_key_secret, keys.security_token or None)
        if self._host:
            # It knows an address, before which no project can stand, only where it has neither scheme nor port.
            client._isRowIp = True  # noqa: SLF001 - no public way
        return client

    @contextmanager
    def queue(self, account: str, name: str) -> Iterator[Any]:
        """Open a queue of the message service; bodies come as they are. Its client takes keys, not a chain."""
        from mns.account import Account  # noqa: PLC0415

        host = self._host or f"{account}.mns.{self.region}.aliyuncs.com"
        found = Account(f"{self._scheme}://{host}", *self.keys()).get_queue(name)
        found.set_encoding(False)  # no Base64
        try:
            yield found
        finally:
            found.mns_client.close_connection()

    @property
    def endpoint(self) -> str:
        """The one address of all services of a stand-in cloud; '' where each has its own."""
        return f"{self._scheme}://{self._host}" if self._host else ""

    def tablestore_instances(self) -> Mapping[str, Any]:
        """List the account's instances of Tablestore in the region. Raises TeaException."""
        from alibabacloud_tea_openapi.client import Client  # noqa: PLC0415
        from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params  # noqa: PLC0415
        from darabonba.runtime import RuntimeOptions  # noqa: PLC0415

        call = Params(
            action="ListInstances",
            version="2020-12-09",
            protocol=self._scheme.upper(),
            method="GET",
            auth_type="AK",
            style="ROA",
            pathname="/v2/openapi/listinstances",
            req_body_type="json",
            body_type="json",
        )
        config = self._config(f"tablestore.{self.region}.aliyuncs.com")
        return dict(Client(config).call_api(call, OpenApiRequest(), RuntimeOptions())["body"])

    def rpc(self, product: str, action: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        """Make one call of ECS, RAM or Resource Management; return the answer as it came. Raises TeaException."""
        from alibabacloud_tea_openapi.client import Client  # noqa: PLC0415
        from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params  # noqa: PLC0415
        from darabonba.runtime import RuntimeOptions  # noqa: PLC0415

        version, host = _GLOBAL.get(product) or (_ECS_VERSION, endpoints.host("ecs", self.region, "public"))
        call = Params(
            action=action,
            version=version,
            protocol=self._scheme.upper(),
            method="POST",
            auth_type="AK",
            style="RPC",
            pathname="/",
            req_body_type="formData",
            body_type="json",
        )
        answer = Client(self._config(host)).call_api(call, OpenApiRequest(query=dict(parameters)), RuntimeOptions())
        return dict(answer["body"])

    def _config(self, host: str = "") -> Config:
        self.keys()  # says in plain words if there are none
        return Config(
            credential=self._chain,
            region_id=self.region,
            endpoint=self._host or host or None,
            protocol=self._scheme,
            user_agent="ecs-reboot-stack",
        )
