"""The Great Expectations suites over the contract and the rules, and what runs them without a network."""
