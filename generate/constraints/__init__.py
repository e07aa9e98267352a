"""What constrains a record: conditions, rules, given values, uniqueness, copies."""
