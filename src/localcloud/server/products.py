"""The products behind ECS' endpoint: a request names its own by the version of the API."""

from collections.abc import Mapping

from localcloud.cms import actions as cms
from localcloud.ecs.call import Product
from localcloud.ess import actions as ess

#: Version of the API -> product.
OTHERS: Mapping[str, Product] = {
    ess.VERSION: Product("ess", ess.ACTIONS),
    cms.VERSION: Product("cms", cms.ACTIONS),
}
