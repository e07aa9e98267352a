"""Cost of a large closed list: building its encoding, its automaton, and encoding and decoding values.

python bench/records/large_lists.py 2000 10000
"""

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))


def measure(count: int) -> str:
    """Return one line about a closed list of `count` product codes."""
    from tiny_models import byte_tokenizer

    from paracosm.records.codec.codec import Codec
    from paracosm.records.schema.schema import Field, Schema

    draw = random.Random(0)
    codes = tuple(f"SKU-{number:06d}" for number in sorted(draw.sample(range(10**6), count)))
    schema = Schema((Field(name="sku", type="category", categories=codes),))
    start = time.process_time()
    codec = Codec(schema, byte_tokenizer(("SKU",)), "causal")
    code = codec.codes[0]
    built = time.process_time()
    records = [{"sku": draw.choice(codes)} for _ in range(10_000)]
    for record in records:
        assert codec.decode(codec.encode(record)) == record
    done = time.process_time()
    waiting, seen = [code.root], set()
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            waiting.extend(node.edges.values())
    return (
        f"{count:,} values: codec in {built - start:.2f} s, automaton of {len(seen):,} states,"
        f" {(done - built) / len(records) * 1e6:.0f} µs to encode and decode a record"
    )


def main() -> None:
    """Measure the sizes given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=int, nargs="+")
    for count in parser.parse_args().counts:
        print(measure(count))


if __name__ == "__main__":
    main()
