"""Questions over the fields and texts of records, with answers that are valid by construction."""
