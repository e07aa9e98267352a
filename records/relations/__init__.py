"""Relations between fields that hold in all training records: search, storage, and the values that they leave a field."""
