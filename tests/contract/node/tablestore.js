"use strict";
// The Node client of Tablestore against the address in argv: what it understood goes to standard output as JSON.
// It assigns to globals that it never declares, so everything of ours is inside a function.
(() => {
  const TableStore = require("tablestore");
  const { Long, Condition, RowExistenceExpectation: Expect } = TableStore;
  const [endpoint, accessKeyId, secret, stsToken, instancename] = process.argv.slice(2);
  const tableName = "ledger";

  function clientWith(secretAccessKey) {
    return new TableStore.Client({ accessKeyId, secretAccessKey, stsToken, endpoint, instancename, maxRetries: 0 });
  }

  async function refusal(call) {
    try {
      await call;
      return null;
    } catch (error) {
      return [error.code, String(error.message).match(/OTS[A-Za-z]+/)?.[0]];
    }
  }

  const keyOf = (row) => [{ region: "cn-hangzhou" }, { row }];
  const anyway = new Condition(Expect.IGNORE, null);
  const isNew = new Condition(Expect.EXPECT_NOT_EXIST, null);
  const isAt = (version) =>
    new Condition(
      Expect.EXPECT_EXIST,
      new TableStore.SingleColumnCondition("v", Long.fromNumber(version), TableStore.ComparatorType.EQUAL, false, true),
    );
  const columns = (row) =>
    Object.fromEntries(row.attributes.map(({ columnName, columnValue }) => [columnName, String(columnValue)]));

  async function main() {
    const client = clientWith(secret);
    const told = {};
    const put = (row, version, condition) =>
      client.putRow({
        tableName,
        primaryKey: keyOf(row),
        condition,
        attributeColumns: [{ v: Long.fromNumber(version) }, { state: "asked é" }],
      });
    const get = (row, table = tableName) => client.getRow({ tableName: table, primaryKey: keyOf(row), maxVersions: 1 });

    await client.createTable({
      tableMeta: { tableName: "other", primaryKey: [{ name: "id", type: TableStore.PrimaryKeyType.INTEGER }] },
      reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
      tableOptions: { timeToLive: -1, maxVersions: 1 },
    });
    told.tables = (await client.listTable({})).tableNames;
    const described = await client.describeTable({ tableName });
    told.key = described.tableMeta.primaryKey.map(({ name, type }) => [name, type]);

    told.first = await refusal(put("i#1", 1, isNew));
    told.again = await refusal(put("i#1", 1, isNew));
    told.swapped = await refusal(put("i#1", 2, isAt(1)));
    told.stale = await refusal(put("i#1", 2, isAt(1)));
    told.row = columns((await get("i#1")).row);
    const updateOfAttributeColumns = [{ PUT: [{ v: Long.fromNumber(3) }] }, { DELETE_ALL: ["state"] }];
    await client.updateRow({ tableName, primaryKey: keyOf("i#1"), condition: isAt(2), updateOfAttributeColumns });
    told.updated = columns((await get("i#1")).row);

    const written = await client.batchWriteRow({
      tables: [
        {
          tableName,
          rows: [
            { type: "PUT", condition: anyway, primaryKey: keyOf("i#2"), attributeColumns: [{ v: Long.fromNumber(1) }] },
            { type: "PUT", condition: isNew, primaryKey: keyOf("i#1"), attributeColumns: [{ v: Long.fromNumber(9) }] },
            { type: "DELETE", condition: anyway, primaryKey: keyOf("i#9") },
          ],
        },
      ],
    });
    told.batch = written.tables.map(({ isOk, errorCode }) => [isOk, errorCode]);
    const read = await client.batchGetRow({
      tables: [{ tableName, primaryKey: [keyOf("i#1"), keyOf("i#9")], maxVersions: 1 }],
    });
    told.read = read.tables[0].map(({ isOk, attributes }) => [isOk, attributes ? columns({ attributes }) : null]);
    const listed = await client.getRange({
      tableName,
      direction: TableStore.Direction.FORWARD,
      maxVersions: 1,
      inclusiveStartPrimaryKey: [{ region: "cn-hangzhou" }, { row: TableStore.INF_MIN }],
      exclusiveEndPrimaryKey: [{ region: "cn-hangzhou" }, { row: TableStore.INF_MAX }],
      limit: 1,
    });
    told.listed = listed.rows.map(({ primaryKey }) => primaryKey[1].value);
    told.next = listed.nextStartPrimaryKey.map(({ value }) => value);

    told.noTable = await refusal(get("i#1", "nothing"));
    told.forged = await refusal(clientWith("guessed").listTable({}));
    process.stdout.write(JSON.stringify(told));
  }

  main().catch((error) => {
    process.stderr.write(`${error.stack || error}\n`);
    process.exitCode = 1;
  });
})();
