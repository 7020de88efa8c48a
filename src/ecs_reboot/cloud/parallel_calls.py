"""Calls to other APIs in Alibaba Cloud's RPC style, several at a time, each on a connection of its own.

Signing, parameter flattening and error classes are the SDK's, as for ECS; no package of the other products is needed:
their generated clients do no more than hand action and version to the same signing client. Nothing is retried here.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

from ecs_reboot.cloud.ecs_api import Question
from ecs_reboot.cloud.errors import CloudError, NoAnswer

VERSIONS = {"ecs": "2014-05-26", "ess": "2022-02-22", "cms": "2019-01-01"}
#: More at once gains nothing: an API counts calls by account and minute.
MOST_AT_ONCE = 8
_CONNECT_SECONDS, _LEAST_SECONDS = 3.0, 0.5


def client(config: Config) -> OpenApiClient:
    """Return a client that signs calls of any product."""
    return OpenApiClient(config)


def ask(
    client_of: Callable[[Question], OpenApiClient],
    error_of: Callable[[str, Exception], CloudError],
    questions: Sequence[Question],
    seconds: float,
) -> list[Mapping[str, Any] | CloudError]:
    """Return one answer, or the error, for each question; ``seconds`` bounds the wait for each answer.

    Raises what is no CloudError: a mistake in the code.
    """
    answers: dict[int, Mapping[str, Any] | CloudError] = {}
    mistakes: list[BaseException] = []
    left = list(enumerate(questions))

    def work() -> None:
        try:
            while left and not mistakes:
                try:
                    place, question = left.pop()
                except IndexError:
                    return
                answers[place] = _asked(client_of(question), error_of, question, seconds)
        except BaseException as mistake:  # noqa: BLE001 - raised again where the threads were started
            mistakes.append(mistake)

    others = [threading.Thread(target=work, daemon=True) for _ in range(min(len(questions), MOST_AT_ONCE) - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()
    if mistakes:
        raise mistakes[0]
    return [answers[place] for place in range(len(questions))]


def _asked(
    client: OpenApiClient, error_of: Callable[[str, Exception], CloudError], question: Question, seconds: float
) -> Mapping[str, Any] | CloudError:
    api = question.api
    seconds = max(seconds, _LEAST_SECONDS)
    runtime = RuntimeOptions(
        connect_timeout=int(min(_CONNECT_SECONDS, seconds) * 1000), read_timeout=int(seconds * 1000)
    )
    params = Params(
        action=api.action,
        version=VERSIONS[api.product],
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )
    try:
        answer = client.call_api(params, OpenApiRequest(query=Utils.query(dict(question.parameters))), runtime)
    except Exception as error:  # noqa: BLE001 - told apart there; what is no error of the cloud is raised again
        return error_of(api.action, error)
    body = answer.get("body")
    return body if isinstance(body, dict) else NoAnswer(api.action, "the answer does not have the documented shape")
