# Makes the files of this folder: pip install pyarrow; python make_parquet.py
# Each holds the same five rows, in groups of two, with another compression.
import pyarrow as pa
import pyarrow.parquet as pq

rows = [
    {
        "messages": [
            {"role": "user", "content": f"question {i} 水"},
            {"role": "assistant", "content": f"answer {i} 🌊"},
        ],
        "number": i,
        "score": i / 2,
        "good": i % 2 == 0,
        "source": {"name": "made", "page": None if i % 2 else f"p{i}"},
        "tags": [] if i == 0 else ["a", None],
        "history": [["q", "a"]] * (i % 2),
        "extra": None,
    }
    for i in range(5)
]
types = pa.schema(
    [
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("number", pa.int64()),
        ("score", pa.float64()),
        ("good", pa.bool_()),
        ("source", pa.struct([("name", pa.string()), ("page", pa.string())])),
        ("tags", pa.list_(pa.string())),
        ("history", pa.list_(pa.list_(pa.string()))),
        ("extra", pa.map_(pa.string(), pa.int32())),
    ]
)
table = pa.Table.from_pylist(rows, schema=types)
for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
    pq.write_table(table, f"{codec}.parquet", compression=codec, row_group_size=2)
