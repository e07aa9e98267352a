"""The synthetic records as one Parquet file, and their Croissant description: schema.org metadata that machines read.

Format: Croissant 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html.
"""

from pathlib import Path
from typing import Any

from paracosm.foundation.digests import file_digest
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Field, Schema
from paracosm.registry.card.licence import records_licence
from paracosm.registry.card.metadata import data_tags

RECORDS = "records.parquet"
CONFORMS = "http://mlcommons.org/croissant/1.0"
TYPES = {
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "datetime": "sc:DateTime",
}
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def write_records(shards: list[Path], folder: Path) -> Path:
    """Join the shards of a run into `folder/records.parquet`; the same shards give the same bytes."""
    import pyarrow.parquet as pq

    path = folder / RECORDS
    schema = pq.read_schema(shards[0]).remove_metadata()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for shard in shards:
            writer.write_table(pq.read_table(shard).replace_schema_metadata(None))
    return path


def croissant(recipe: Recipe, schema: Schema, records: Path, verdict: str) -> dict[str, Any]:
    """Return the description of `records`. Names and types of fields are in it; ranges and categories are not."""
    import pyarrow.parquet as pq

    held = set(pq.read_schema(records).names)
    title = recipe.card.title or recipe.name
    words = recipe.description or title
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS,
        "name": recipe.name,
        "description": f"{words.rstrip('.')}. Synthetic records made by Paracosm; release verdict {verdict}.",
        "license": records_licence(recipe),
        "keywords": data_tags(recipe, schema, verdict),
        **(
            {"creator": [{"@type": "sc:Person", "name": name} for name in recipe.card.authors]}
            if recipe.card.authors
            else {}
        ),
        "isLiveDataset": False,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": RECORDS,
                "name": RECORDS,
                "contentUrl": RECORDS,
                "contentSize": f"{records.stat().st_size} B",
                "encodingFormat": "application/x-parquet",
                "sha256": file_digest(records),
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "records",
                "name": "records",
                "description": "One synthetic record a row.",
                "field": [_field(number, field) for number, field in enumerate(schema) if field.name in held],
            }
        ],
    }


def _field(number: int, field: Field) -> dict[str, Any]:
    # Column names may hold any character; an @id is part of a URL, so fields are numbered.
    return {
        "@type": "cr:Field",
        "@id": f"records/{number}",
        "name": field.name,
        "dataType": TYPES.get(field.type, "sc:Text"),
        "source": {"fileObject": {"@id": RECORDS}, "extract": {"column": field.name}},
    }
