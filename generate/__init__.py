"""Generation: samples synthetic records from a fine-tuned adapter, each valid under the schema's grammar."""
