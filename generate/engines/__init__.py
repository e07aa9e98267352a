"""Generation engines: blocks of records on this machine, on Ray or through vLLM."""
