"""CSV, TSV and other delimited files: delimiter, lines above the header, header, rows."""
