"""The services of one cloud, each loaded when it is first needed: a start that needs ECS alone loads ECS alone."""

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from localcloud.account.cloud import Cloud
from localcloud.ecs.service import Ecs
from localcloud.functioncompute.api.functions import Functions
from localcloud.functioncompute.own_function import OwnFunction
from localcloud.server.products import OTHERS

if TYPE_CHECKING:
    from localcloud.chat.service import ChatServices
    from localcloud.functioncompute.api.service import FunctionCompute
    from localcloud.mns.service import Mns
    from localcloud.oss.service import Oss
    from localcloud.ros.account import RosAccount
    from localcloud.ros.account_apis import AccountApis
    from localcloud.ros.service import Ros
    from localcloud.sls.service import Sls
    from localcloud.tablestore.service import Ots

Service = TypeVar("Service")


class Services:
    """Every service of a cloud. ``url`` is where they answer, empty until that is known. Close them at the end."""

    def __init__(self, cloud: Cloud, *, functions: Functions | None = None) -> None:
        self.cloud = cloud
        self.url = ""
        self.ecs = Ecs(cloud, OTHERS)
        self.functions = functions or Functions(cloud)
        #: The project's own function, where the server was started with it.
        self.own: OwnFunction | None = None
        self._lock = RLock()
        self._loaded: dict[str, Any] = {}

    @property
    def fc(self) -> "FunctionCompute":
        """Function Compute's API."""
        from localcloud.functioncompute.api.service import FunctionCompute  # noqa: PLC0415 - see the module

        return self._once("fc", lambda: FunctionCompute(self.cloud, self.functions))

    @property
    def sls(self) -> "Sls":
        """Simple Log Service."""
        from localcloud.sls.service import Sls  # noqa: PLC0415

        return self._once("sls", lambda: Sls(self.cloud))

    @property
    def ots(self) -> "Ots":
        """Tablestore."""
        from localcloud.tablestore.service import Ots  # noqa: PLC0415

        return self._once("ots", lambda: Ots(self.cloud))

    @property
    def oss(self) -> "Oss":
        """Object storage."""
        from localcloud.oss.service import Oss  # noqa: PLC0415

        return self._once("oss", lambda: Oss(self.cloud))

    @property
    def mns(self) -> "Mns":
        """The message service: the queues."""
        from localcloud.mns.service import Mns  # noqa: PLC0415

        account = self.account
        return self._once("mns", lambda: Mns(self.cloud, account.messages, account.region))

    @property
    def chats(self) -> "ChatServices":
        """The chat services that notices go to."""
        from localcloud.chat.service import ChatServices  # noqa: PLC0415

        return self._once("chats", lambda: ChatServices(self.cloud))

    @property
    def account(self) -> "RosAccount":
        """What stacks are made in: roles, topics and queues, the event bus, timers, alarm rules."""
        from localcloud.ros.account import RosAccount  # noqa: PLC0415

        stores = self.sls.stores
        return self._once(
            "account", lambda: RosAccount(self.cloud, self.functions, stores, self.oss, self.ots, url=lambda: self.url)
        )

    @property
    def ros(self) -> "Ros":
        """ROS: the stacks."""
        from localcloud.ros.service import Ros  # noqa: PLC0415

        return self._once("ros", lambda: Ros(self.cloud, self.account))

    @property
    def account_apis(self) -> "AccountApis":
        """The APIs of ROS, STS, RAM and CloudMonitor, which are of the same style."""
        from localcloud.ros.account_apis import AccountApis  # noqa: PLC0415

        return self._once("account_apis", lambda: AccountApis(self.cloud, self.account, self.ros))

    def close(self) -> None:
        """End what runs beside the server."""
        self.functions.stop()
        account = self._loaded.get("account")
        if account is not None:
            account.close()

    def _once(self, name: str, make: Callable[[], Service]) -> Service:
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = make()
            return cast("Service", self._loaded[name])
