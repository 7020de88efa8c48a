"use strict";
// Every Node client but those with a program of their own, against the address in argv, in one process.
// Standard output has JSON: check -> what the client understood, or the code and message of its error.
const [base, accessKeyId, accessKeySecret, running, other, stopped] = process.argv.slice(2);
const endpoint = `http://${base}`;
const RegionId = "cn-hangzhou";
const told = {};

async function check(name, call) {
  try {
    told[name] = await call();
  } catch (error) {
    told[name] = { code: error.code, message: String(error.message) };
  }
}

const promised = (client, action, parameters) =>
  new Promise((resolve, reject) =>
    client[action](parameters, (error, data) => (error ? reject(error) : resolve(data))),
  );

async function log() {
  const Log = require("@alicloud/log");
  const client = new Log({ endpoint, accessKeyId, accessKeySecret });
  const now = Math.floor(Date.now() / 1000);
  const around = [new Date((now - 60) * 1000), new Date((now + 60) * 1000)];
  const group = { logs: [{ timestamp: now, content: { action: "reboot é" } }], topic: "t", source: "s" };
  await check("log.project", async () => (await client.getProject()).region);
  await check("log.logstore", async () => (await client.getLogStore(undefined, "records")).logstoreName);
  await check("log.list", async () => (await client.listLogStore()).logstores);
  await check("log.put", () => client.postLogStoreLogs(undefined, "records", group));
  await check("log.get", async () => (await client.getLogs(undefined, "records", ...around)).map((log) => log.action));
  await check("log.absent", () => client.getLogStore(undefined, "absent"));
}

async function aliyunSdk() {
  const ALY = require("aliyun-sdk");
  const keys = { accessKeyId, secretAccessKey: accessKeySecret, endpoint };
  const ecs = new ALY.ECS({ ...keys, apiVersion: "2014-05-26" });
  await check("sdk.describe", async () =>
    (await promised(ecs, "describeInstances", { RegionId })).Instances.Instance.map((one) => one.InstanceId),
  );
  await check("sdk.reboot", async () =>
    Object.keys(await promised(ecs, "rebootInstance", { InstanceId: running })),
  );
  await check("sdk.stop", async () => Object.keys(await promised(ecs, "stopInstance", { InstanceId: other })));
  await check("sdk.start", async () => Object.keys(await promised(ecs, "startInstance", { InstanceId: stopped })));
  await check("sdk.absent", () => promised(ecs, "rebootInstance", { InstanceId: "i-none" }));
  const ram = new ALY.RAM({ ...keys, apiVersion: "2015-05-01" });
  await check("sdk.ram", () => promised(ram, "getRole", { RoleName: "nobody" }));
  const sls = new ALY.SLS({ ...keys, apiVersion: "2015-06-01" });
  await check("sdk.sls", async () =>
    (await promised(sls, "listLogStores", { projectName: "ecs-reboot" })).body.logstores,
  );
  const oss = new ALY.OSS({ ...keys, apiVersion: "2013-10-15" });
  await check("sdk.oss", () => promised(oss, "listBuckets", {}));
}

async function aliOss() {
  const OSS = require("ali-oss");
  const options = { region: "oss-cn-hangzhou", endpoint, accessKeyId, accessKeySecret, secure: false };
  const client = new OSS({ ...options, authorizationV4: true });
  await client.putBucket("of-ali-oss");
  client.useBucket("of-ali-oss");
  await check("oss.put", async () => {
    for (const name of ["a/1 é.txt", "a/2.txt", "a/b/3.txt", "c.txt"]) await client.put(name, Buffer.from(name));
    return (await client.get("a/1 é.txt")).content.toString();
  });
  await check("oss.head", async () => (await client.head("c.txt")).res.headers["content-length"]);
  await check("oss.listV2", async () => {
    const found = await client.listV2({ prefix: "a/", delimiter: "/", "max-keys": 2 });
    const rest = await client.listV2({ prefix: "a/", delimiter: "/", "continuation-token": found.nextContinuationToken });
    return [found, rest].map((page) => [(page.objects || []).map((one) => one.name), page.prefixes, page.isTruncated]);
  });
  await check("oss.list", async () => (await client.list({ prefix: "a/" })).objects.map((one) => one.name));
  await check("oss.buckets", async () => (await client.listBuckets()).buckets.map((one) => [one.name, one.region]));
  await check("oss.delete", async () => (await client.delete("c.txt")).res.status);
  await check("oss.gone", () => client.get("c.txt"));
  const older = new OSS({ ...options, authorizationV4: false, bucket: "of-ali-oss" });
  await check("oss.older", () => older.list({}));
}

async function fc2() {
  const FC = require("@alicloud/fc2");
  const client = new FC("1234567890123456", { accessKeyID: accessKeyId, accessKeySecret, region: RegionId, endpoint });
  await check("fc2.invoke", () => client.invokeFunction("service", "ecs-reboot", "{}"));
}

log()
  .then(aliyunSdk)
  .then(aliOss)
  .then(fc2)
  .then(() => process.stdout.write(JSON.stringify(told)))
  .catch((error) => {
    process.stderr.write(`${error.stack || error}\n`);
    process.exitCode = 1;
  });
