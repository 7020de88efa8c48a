"""The messages of Tablestore's operations as tables: field numbers and labels of the service's ``table_store.proto``.

A required field that the proto does not demand, as ``max_versions`` of a read, is demanded where it is carried out.
"""

from typing import NamedTuple

from localcloud.tablestore.conditions import parse
from localcloud.tablestore.plain_buffer import read_row
from localcloud.tablestore.protobuf import Enum, Field, Label, Schema

REQUIRED: Label = "required"
REPEATED: Label = "repeated"

KEY_TYPES = Enum({1: "INTEGER", 2: "STRING", 3: "BINARY"})

ERROR = Schema("Error", {1: Field("code", "text", REQUIRED), 2: Field("message", "text")})
_CAPACITY_UNIT = Schema("CapacityUnit", {1: Field("read", "int"), 2: Field("write", "int")})
_CONSUMED = Schema("ConsumedCapacity", {1: Field("capacity_unit", _CAPACITY_UNIT, REQUIRED)})
_THROUGHPUT = Schema("ReservedThroughput", {1: Field("capacity_unit", _CAPACITY_UNIT, REQUIRED)})
_THROUGHPUT_DETAILS = Schema(
    "ReservedThroughputDetails",
    {1: Field("capacity_unit", _CAPACITY_UNIT, REQUIRED), 2: Field("last_increase_time", "int", REQUIRED)},
)
_KEY_COLUMN = Schema(
    "PrimaryKeySchema",
    {1: Field("name", "text", REQUIRED), 2: Field("type", KEY_TYPES, REQUIRED)},
    unmodelled={3: "option"},
)
_TABLE_META = Schema(
    "TableMeta",
    {1: Field("table_name", "text", REQUIRED), 2: Field("primary_key", _KEY_COLUMN, REPEATED)},
    unmodelled={3: "defined_column"},
)
_TABLE_OPTIONS = Schema(
    "TableOptions",
    {
        1: Field("time_to_live", "int"),
        2: Field("max_versions", "int"),
        5: Field("deviation_cell_version_in_sec", "int"),
        6: Field("allow_update", "bool"),
    },
)
_CONDITION = Schema(
    "Condition",
    {
        1: Field("row_existence", Enum({0: "IGNORE", 1: "EXPECT_EXIST", 2: "EXPECT_NOT_EXIST"}), REQUIRED),
        2: Field("column_condition", parse),
    },
)
_RETURN_CONTENT = Schema(
    "ReturnContent",
    {1: Field("return_type", Enum({0: "RT_NONE", 1: "RT_PK"}))},
    unmodelled={2: "return_column_names"},
)
_TABLE_NAME = Field("table_name", "text", REQUIRED)
_COLUMNS = Field("columns_to_get", "text", REPEATED)


def _written(name: str, row: str) -> Schema:
    """Return the request of an operation that writes one row."""
    return Schema(
        name,
        {
            1: _TABLE_NAME,
            2: Field(row, read_row, REQUIRED),
            3: Field("condition", _CONDITION, REQUIRED),
            4: Field("return_content", _RETURN_CONTENT),
        },
        unmodelled={5: "transaction_id"},
    )


def _row_answer(name: str) -> Schema:
    """Return what is said of one row of a batch."""
    fields = {
        1: Field("is_ok", "bool", REQUIRED),
        2: Field("error", ERROR),
        3: Field("consumed", _CONSUMED),
        4: Field("row", "bytes"),
    }
    return Schema(name, fields)


def _batch_answer(operation: str) -> Schema:
    table = {1: _TABLE_NAME, 2: Field("rows", _row_answer(f"RowIn{operation}Response"), REPEATED)}
    return Schema(f"{operation}Response", {1: Field("tables", Schema(f"TableIn{operation}Response", table), REPEATED)})


_WRITE_ANSWER = {1: Field("consumed", _CONSUMED, REQUIRED), 2: Field("row", "bytes")}


class Messages(NamedTuple):
    """What an operation takes and gives."""

    request: Schema
    answer: Schema


MESSAGES = {
    "CreateTable": Messages(
        Schema(
            "CreateTableRequest",
            {
                1: Field("table_meta", _TABLE_META, REQUIRED),
                2: Field("reserved_throughput", _THROUGHPUT, REQUIRED),
                3: Field("table_options", _TABLE_OPTIONS),
            },
            unmodelled={4: "partitions", 5: "stream_spec", 6: "sse_spec", 7: "index_metas"},
        ),
        Schema("CreateTableResponse"),
    ),
    "DescribeTable": Messages(
        Schema("DescribeTableRequest", {1: _TABLE_NAME}),
        Schema(
            "DescribeTableResponse",
            {
                1: Field("table_meta", _TABLE_META, REQUIRED),
                2: Field("reserved_throughput_details", _THROUGHPUT_DETAILS, REQUIRED),
                3: Field("table_options", _TABLE_OPTIONS, REQUIRED),
                # Left out of the Python client's messages, demanded by the Node client.
                4: Field("table_status", Enum({1: "ACTIVE"}), REQUIRED),
            },
        ),
    ),
    "UpdateTable": Messages(
        Schema(
            "UpdateTableRequest",
            {
                1: _TABLE_NAME,
                2: Field("reserved_throughput", _THROUGHPUT),
                3: Field("table_options", _TABLE_OPTIONS),
            },
            unmodelled={4: "stream_spec"},
        ),
        Schema(
            "UpdateTableResponse",
            {
                1: Field("reserved_throughput_details", _THROUGHPUT_DETAILS, REQUIRED),
                2: Field("table_options", _TABLE_OPTIONS, REQUIRED),
            },
        ),
    ),
    "ListTable": Messages(
        Schema("ListTableRequest"), Schema("ListTableResponse", {1: Field("table_names", "text", REPEATED)})
    ),
    "DeleteTable": Messages(Schema("DeleteTableRequest", {1: _TABLE_NAME}), Schema("DeleteTableResponse")),
    "GetRow": Messages(
        Schema(
            "GetRowRequest",
            {
                1: _TABLE_NAME,
                2: Field("primary_key", read_row, REQUIRED),
                3: _COLUMNS,
                5: Field("max_versions", "int"),
                7: Field("filter", parse),
            },
            unmodelled={4: "time_range", 8: "start_column", 9: "end_column", 10: "token", 11: "transaction_id"},
        ),
        Schema(
            "GetRowResponse",
            {1: Field("consumed", _CONSUMED, REQUIRED), 2: Field("row", "bytes", REQUIRED)},
        ),
    ),
    "PutRow": Messages(_written("PutRowRequest", "row"), Schema("PutRowResponse", _WRITE_ANSWER)),
    "UpdateRow": Messages(_written("UpdateRowRequest", "row_change"), Schema("UpdateRowResponse", _WRITE_ANSWER)),
    "DeleteRow": Messages(_written("DeleteRowRequest", "primary_key"), Schema("DeleteRowResponse", _WRITE_ANSWER)),
    "BatchGetRow": Messages(
        Schema(
            "BatchGetRowRequest",
            {
                1: Field(
                    "tables",
                    Schema(
                        "TableInBatchGetRowRequest",
                        {
                            1: _TABLE_NAME,
                            2: Field("primary_key", read_row, REPEATED),
                            3: Field("token", "bytes", REPEATED),  # one for each row, empty where reading begins
                            4: _COLUMNS,
                            6: Field("max_versions", "int"),
                            8: Field("filter", parse),
                        },
                        unmodelled={5: "time_range", 9: "start_column", 10: "end_column"},
                    ),
                    REPEATED,
                )
            },
        ),
        _batch_answer("BatchGetRow"),
    ),
    "BatchWriteRow": Messages(
        Schema(
            "BatchWriteRowRequest",
            {
                1: Field(
                    "tables",
                    Schema(
                        "TableInBatchWriteRowRequest",
                        {
                            1: _TABLE_NAME,
                            2: Field(
                                "rows",
                                Schema(
                                    "RowInBatchWriteRowRequest",
                                    {
                                        1: Field("type", Enum({1: "PUT", 2: "UPDATE", 3: "DELETE"}), REQUIRED),
                                        2: Field("row_change", read_row, REQUIRED),
                                        3: Field("condition", _CONDITION, REQUIRED),
                                        4: Field("return_content", _RETURN_CONTENT),
                                    },
                                ),
                                REPEATED,
                            ),
                        },
                    ),
                    REPEATED,
                )
            },
            unmodelled={2: "transaction_id", 3: "is_atomic"},
        ),
        _batch_answer("BatchWriteRow"),
    ),
    "GetRange": Messages(
        Schema(
            "GetRangeRequest",
            {
                1: _TABLE_NAME,
                2: Field("direction", Enum({0: "FORWARD", 1: "BACKWARD"}), REQUIRED),
                3: _COLUMNS,
                5: Field("max_versions", "int"),
                6: Field("limit", "int"),
                7: Field("inclusive_start_primary_key", read_row, REQUIRED),
                8: Field("exclusive_end_primary_key", read_row, REQUIRED),
                10: Field("filter", parse),
            },
            unmodelled={4: "time_range", 11: "start_column", 12: "end_column", 13: "token", 14: "transaction_id"},
        ),
        Schema(
            "GetRangeResponse",
            {
                1: Field("consumed", _CONSUMED, REQUIRED),
                2: Field("rows", "bytes", REQUIRED),
                3: Field("next_start_primary_key", "bytes"),
            },
        ),
    ),
}
