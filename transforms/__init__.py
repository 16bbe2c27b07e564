"""What is computed: extracts into DuckDB, the contract, and the SQL models from final lines to findings."""
