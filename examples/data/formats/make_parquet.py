# Makes messages.parquet: pip install pyarrow; python make_parquet.py
import json
import pyarrow as pa
import pyarrow.parquet as pq

rows = [
    {"messages": [dict(role=m["role"], content=m["content"], loss=m.get("loss")) for m in json.loads(line)["messages"]]}
    for line in open("messages.jsonl")
]
pq.write_table(pa.Table.from_pylist(rows), "messages.parquet", compression="zstd")
