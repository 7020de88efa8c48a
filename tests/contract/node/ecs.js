"use strict";
// The Node SDK of ECS against the address in argv: what it understood of each answer goes to standard output as JSON.
const { default: Ecs, ...models } = require("@alicloud/ecs20140526");
const { $OpenApiUtil } = require("@alicloud/openapi-core");

const [endpoint, accessKeyId, accessKeySecret, running, locked] = process.argv.slice(2);
const regionId = "cn-hangzhou";

function clientWith(secret) {
  return new Ecs(
    new $OpenApiUtil.Config({ accessKeyId, accessKeySecret: secret, endpoint, protocol: "http", regionId }),
  );
}

async function refusal(call) {
  try {
    await call;
    return null;
  } catch (error) {
    return { code: error.code, status: error.statusCode };
  }
}

async function main() {
  const client = clientWith(accessKeySecret);
  const told = {};

  const described = await client.describeInstances(
    new models.DescribeInstancesRequest({ regionId, instanceIds: JSON.stringify([running, locked]) }),
  );
  told.described = described.body.instances.instance.map((one) => ({
    id: one.instanceId,
    status: one.status,
    locks: one.operationLocks.lockReason.map((lock) => lock.lockReason),
    tags: Object.fromEntries(one.tags.tag.map((tag) => [tag.tagKey, tag.tagValue])),
  }));

  const resource = { regionId, resourceType: "instance", resourceId: [running] };
  const value = "v1 é+&= *~";
  await client.tagResources(
    new models.TagResourcesRequest({
      ...resource,
      tag: [new models.TagResourcesRequestTag({ key: "ecs-reboot/last", value })],
    }),
  );
  const tags = await client.listTagResources(new models.ListTagResourcesRequest(resource));
  told.tagKept = tags.body.tagResources.tagResource.some((tag) => tag.tagValue === value);
  await client.untagResources(new models.UntagResourcesRequest({ ...resource, tagKey: ["ecs-reboot/last"] }));

  told.dryRun = await refusal(
    client.rebootInstances(new models.RebootInstancesRequest({ regionId, instanceId: [running], dryRun: true })),
  );
  const rebooted = await client.rebootInstances(
    new models.RebootInstancesRequest({
      regionId,
      instanceId: [running, locked],
      batchOptimization: "SuccessFirst",
      forceReboot: false,
    }),
  );
  told.rebooted = rebooted.body.instanceResponses.instanceResponse.map((one) => [
    one.instanceId,
    one.code,
    one.currentStatus,
  ]);
  told.again = await refusal(
    client.rebootInstances(new models.RebootInstancesRequest({ regionId, instanceId: [running] })),
  );
  told.forged = await refusal(clientWith("guessed").describeRegions(new models.DescribeRegionsRequest({})));
  process.stdout.write(JSON.stringify(told));
}

main().catch((error) => {
  process.stderr.write(`${error.stack || error}\n`);
  process.exitCode = 1;
});
